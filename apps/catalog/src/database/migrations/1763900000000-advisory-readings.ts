import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What each of two sources says of an advisory, and the names of the projects that one of them tells by number. */
export class AdvisoryReadings1763900000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE advisory_readings (
        advisory text NOT NULL,
        source text NOT NULL,
        facts jsonb NOT NULL,
        changed_at timestamptz,
        read_at timestamptz NOT NULL,
        missing_since timestamptz,
        CONSTRAINT advisory_readings_pkey PRIMARY KEY (advisory, source)
      );

      CREATE TABLE upstream_projects (
        nid bigint NOT NULL,
        module text NOT NULL,
        known_at timestamptz NOT NULL,
        CONSTRAINT upstream_projects_pkey PRIMARY KEY (nid)
      );
    `);
    // What was read so far came from the feed: without these rows, its next reading would count as the first.
    await queryRunner.query(`
      INSERT INTO advisory_readings (advisory, source, facts, read_at, missing_since)
      SELECT a.advisory, 'feed', v.facts - 'revision' - 'state' - 'known_at', a.known_at, a.missing_since
      FROM advisories a JOIN advisory_versions v USING (advisory, revision)
    `);
    await queryRunner.query(`
      ALTER TABLE advisories DROP COLUMN missing_since;
      UPDATE advisory_feed SET feed = 'feed' WHERE feed = 'all';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE advisories ADD COLUMN missing_since timestamptz;
      UPDATE advisories a SET missing_since = r.missing_since FROM advisory_readings r
      WHERE r.advisory = a.advisory AND r.source = 'feed';
      DELETE FROM advisory_feed WHERE feed = 'archive';
      UPDATE advisory_feed SET feed = 'all' WHERE feed = 'feed';
      DELETE FROM sync_states WHERE kind = 'archive';
      DROP TABLE upstream_projects, advisory_readings;
    `);
  }
}
