import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Modules that organizations declare as their own. */
export class OwnModules1763800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE own_modules (
        id integer GENERATED ALWAYS AS IDENTITY,
        uuid uuid NOT NULL,
        organization_id integer NOT NULL,
        module text NOT NULL,
        title text NOT NULL,
        type text NOT NULL,
        link text,
        releases jsonb NOT NULL,
        revision integer NOT NULL,
        created_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL,
        removed_at timestamptz,
        CONSTRAINT own_modules_pkey PRIMARY KEY (id)
      );
      CREATE UNIQUE INDEX own_modules_organization_module ON own_modules (organization_id, module);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE own_modules');
  }
}
