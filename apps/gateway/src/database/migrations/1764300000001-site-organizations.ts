import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sites that their organizations let others read. */
export class SiteOrganizations1764300000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE site_organizations (
        id integer GENERATED ALWAYS AS IDENTITY,
        organization_id integer NOT NULL,
        site_id integer NOT NULL,
        guest_organization_id integer NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT site_organizations_pkey PRIMARY KEY (id),
        CONSTRAINT site_organizations_site_guest UNIQUE (site_id, guest_organization_id),
        CONSTRAINT site_organizations_other CHECK (guest_organization_id <> organization_id)
      );
      CREATE INDEX site_organizations_guest ON site_organizations (guest_organization_id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE site_organizations');
  }
}
