import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sites whose pushes are held back until a person decides, with what a push said. */
export class SiteQuarantine1764400000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE sites
        ADD COLUMN quarantined_at timestamptz,
        ADD COLUMN quarantine_reason text,
        ADD COLUMN quarantine_note text,
        ADD COLUMN reported_url text,
        ADD COLUMN reported_environment text,
        ADD CONSTRAINT sites_quarantine_reason CHECK (quarantine_reason IN ('url_changed', 'environment_changed', 'by_hand')),
        ADD CONSTRAINT sites_quarantine CHECK ((quarantined_at IS NULL) = (quarantine_reason IS NULL)),
        ADD CONSTRAINT sites_reported CHECK (quarantined_at IS NOT NULL OR coalesce(quarantine_note, reported_url, reported_environment) IS NULL),
        ADD CONSTRAINT sites_reported_environment CHECK (reported_environment IN ('prod', 'stage', 'dev'));
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE sites
        DROP COLUMN quarantined_at, DROP COLUMN quarantine_reason, DROP COLUMN quarantine_note,
        DROP COLUMN reported_url, DROP COLUMN reported_environment;
    `);
  }
}
