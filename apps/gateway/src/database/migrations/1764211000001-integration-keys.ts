import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Keys of organizations beside those of sites: for programs, and for agents that register their sites themselves. */
export class IntegrationKeys1764211000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE api_keys DROP CONSTRAINT api_keys_kind;
      ALTER TABLE api_keys
        ADD COLUMN name text,
        ADD COLUMN family uuid,
        ADD COLUMN most_uses integer,
        ADD COLUMN uses integer NOT NULL DEFAULT 0,
        ADD CONSTRAINT api_keys_kind CHECK (kind IN ('site', 'integration', 'enrolment')),
        ADD CONSTRAINT api_keys_name_of_kind CHECK ((kind = 'site') = (name IS NULL)),
        ADD CONSTRAINT api_keys_uses CHECK (most_uses IS NULL OR uses <= most_uses);

      CREATE TABLE enrolments (
        id integer GENERATED ALWAYS AS IDENTITY,
        organization_id integer NOT NULL,
        key_id integer NOT NULL,
        site_id integer NOT NULL,
        site_key_id text NOT NULL,
        address text NOT NULL,
        environment text NOT NULL,
        agent_id uuid NOT NULL,
        enrolled_at timestamptz NOT NULL,
        CONSTRAINT enrolments_pkey PRIMARY KEY (id),
        CONSTRAINT enrolments_address UNIQUE (organization_id, address, environment)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE enrolments;
      DELETE FROM api_keys WHERE kind <> 'site';
      ALTER TABLE api_keys DROP CONSTRAINT api_keys_kind, DROP CONSTRAINT api_keys_name_of_kind, DROP CONSTRAINT api_keys_uses;
      ALTER TABLE api_keys DROP COLUMN name, DROP COLUMN family, DROP COLUMN most_uses, DROP COLUMN uses,
        ADD CONSTRAINT api_keys_kind CHECK (kind IN ('site', 'integration'));
    `);
  }
}
