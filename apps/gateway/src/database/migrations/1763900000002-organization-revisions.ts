import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What organizations were before: one row a change. */
export class OrganizationRevisions1763900000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE organization_revisions (
        id integer GENERATED ALWAYS AS IDENTITY,
        organization_id integer NOT NULL,
        revision integer NOT NULL,
        name text NOT NULL,
        time_zone text NOT NULL,
        removed_at timestamptz,
        changed_at timestamptz NOT NULL,
        changed_by uuid,
        CONSTRAINT organization_revisions_pkey PRIMARY KEY (id),
        CONSTRAINT organization_revisions_revision UNIQUE (organization_id, revision)
      );
      INSERT INTO organization_revisions (organization_id, revision, name, time_zone, removed_at, changed_at)
        SELECT id, revision, name, time_zone, removed_at, created_at FROM organizations;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE organization_revisions');
  }
}
