import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Plans of organizations; in beta everyone has premium, whose limits are those that everyone had before there were plans. */
export class Plans1764500000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE plans (
        id integer GENERATED ALWAYS AS IDENTITY,
        code text NOT NULL,
        name text NOT NULL,
        figures text NOT NULL,
        person_requests_per_minute integer NOT NULL,
        key_requests_per_minute integer NOT NULL,
        pushes_per_minute integer NOT NULL,
        most_sites integer,
        is_default boolean NOT NULL,
        revision integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL,
        CONSTRAINT plans_pkey PRIMARY KEY (id),
        CONSTRAINT plans_code UNIQUE (code),
        CONSTRAINT plans_figures CHECK (figures IN ('weekly', 'hourly')),
        CONSTRAINT plans_limits CHECK (least(person_requests_per_minute, key_requests_per_minute, pushes_per_minute, most_sites) > 0)
      );
      CREATE UNIQUE INDEX plans_default ON plans (is_default) WHERE is_default;
      INSERT INTO plans (code, name, figures, person_requests_per_minute, key_requests_per_minute, pushes_per_minute,
                         most_sites, is_default, created_at, changed_at)
        VALUES ('free', 'Free', 'weekly', 600, 600, 60, 10, false, now(), now()),
               ('premium', 'Premium', 'hourly', 6000, 6000, 600, NULL, true, now(), now());

      ALTER TABLE organizations ADD COLUMN plan_id integer;
      UPDATE organizations SET plan_id = (SELECT id FROM plans WHERE is_default);
      ALTER TABLE organizations ALTER COLUMN plan_id SET NOT NULL,
        ADD CONSTRAINT organizations_plan FOREIGN KEY (plan_id) REFERENCES plans (id);
      ALTER TABLE organization_revisions ADD COLUMN plan text NOT NULL DEFAULT 'premium';
      ALTER TABLE organization_revisions ALTER COLUMN plan DROP DEFAULT;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE organization_revisions DROP COLUMN plan;
      ALTER TABLE organizations DROP COLUMN plan_id;
      DROP TABLE plans;
    `);
  }
}
