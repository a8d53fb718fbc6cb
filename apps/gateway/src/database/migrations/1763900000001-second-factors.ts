import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Authenticator apps and backup codes of people. */
export class SecondFactors1763900000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE second_factors (
        id integer GENERATED ALWAYS AS IDENTITY,
        user_id integer NOT NULL,
        sealed_seed bytea NOT NULL,
        last_step integer NOT NULL,
        created_at timestamptz NOT NULL,
        confirmed_at timestamptz,
        CONSTRAINT second_factors_pkey PRIMARY KEY (id),
        CONSTRAINT second_factors_user UNIQUE (user_id)
      );
      CREATE TABLE backup_codes (
        id integer GENERATED ALWAYS AS IDENTITY,
        user_id integer NOT NULL,
        selector text NOT NULL,
        code_hash text NOT NULL,
        created_at timestamptz NOT NULL,
        used_at timestamptz,
        CONSTRAINT backup_codes_pkey PRIMARY KEY (id),
        CONSTRAINT backup_codes_selector UNIQUE (user_id, selector)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE backup_codes, second_factors');
  }
}
