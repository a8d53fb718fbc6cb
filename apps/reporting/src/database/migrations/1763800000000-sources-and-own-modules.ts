import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What Drupal.org's mark says of a version stands beside what the advisories' ranges say; versions of advisories are kept; and an
 * organization's own modules have releases, which speak of its sites only.
 */
export class SourcesAndOwnModules1763800000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE version_statuses ADD COLUMN mark text;

      UPDATE version_statuses v
      SET mark = coalesce(r.mark, 'not_listed')
      FROM version_statuses w
      JOIN modules m USING (module_id)
      LEFT JOIN LATERAL (
        SELECT CASE WHEN release -> 'terms' -> 'Release type' ? 'Insecure' THEN 'insecure' ELSE 'not_insecure' END AS mark
        FROM jsonb_array_elements(m.history -> 'releases') AS release
        WHERE release ->> 'version' = w.version
        LIMIT 1
      ) r ON true
      WHERE w.version_id = v.version_id AND m.history IS NOT NULL;

      CREATE TABLE advisory_revisions (
        advisory text NOT NULL,
        revision integer NOT NULL,
        known_at timestamptz NOT NULL,
        facts jsonb NOT NULL,
        PRIMARY KEY (advisory, revision)
      );
      INSERT INTO advisory_revisions (advisory, revision, known_at, facts)
      SELECT DISTINCT ON (a.advisory, a.revision) a.advisory, a.revision, a.known_at,
             to_jsonb(a) - 'advisory_id' - 'module_id' || jsonb_build_object('module', m.module)
      FROM advisories a JOIN modules m USING (module_id);

      CREATE TABLE own_modules (
        organization_id integer NOT NULL,
        module_id integer NOT NULL,
        organization_uuid uuid NOT NULL,
        revision integer NOT NULL,
        known_at timestamptz NOT NULL,
        history jsonb,
        PRIMARY KEY (organization_id, module_id)
      );
      CREATE INDEX own_modules_module ON own_modules (module_id);

      CREATE TABLE own_version_statuses (
        organization_id integer NOT NULL,
        version_id integer NOT NULL,
        status text NOT NULL,
        reason text,
        standing text NOT NULL,
        recommended text,
        latest text,
        security_updates text[] NOT NULL,
        available_since timestamptz,
        released_at timestamptz,
        PRIMARY KEY (organization_id, version_id)
      );
      CREATE INDEX own_version_statuses_version ON own_version_statuses (version_id);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE own_version_statuses, own_modules, advisory_revisions;
      ALTER TABLE version_statuses DROP COLUMN mark;
    `);
  }
}
