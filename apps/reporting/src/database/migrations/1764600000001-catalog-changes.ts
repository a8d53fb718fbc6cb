import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What everybody's answers rest on, whoever's sites they are about. */
const TABLES = [
  'modules',
  'version_statuses',
  'vulnerable_versions',
  'advisories',
  'own_modules',
  'own_version_statuses',
];
const EVENTS = [
  ['INSERT', 'NEW'],
  ['UPDATE', 'NEW'],
  ['DELETE', 'OLD'],
] as const;

/**
 * `sum(changes)` rises with every committed change of what is known of modules, versions and advisories, whoever makes it: triggers count, so that no
 * writer can forget it. In slots, because one row would make writers wait for each other: each takes one that nobody holds.
 */
export class CatalogChanges1764600000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE catalog_changes (
        slot integer PRIMARY KEY,
        changes bigint NOT NULL
      ) WITH (fillfactor = 50);
      INSERT INTO catalog_changes SELECT slot, 0 FROM generate_series(0, 63) AS slot;

      CREATE FUNCTION count_catalog_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
      BEGIN
        IF NOT EXISTS (SELECT FROM changed) THEN RETURN NULL; END IF;
        UPDATE catalog_changes c SET changes = c.changes + 1
        FROM (SELECT slot FROM catalog_changes ORDER BY slot LIMIT 1 FOR UPDATE SKIP LOCKED) free
        WHERE c.slot = free.slot;
        -- More writers than slots: this one waits.
        IF NOT FOUND THEN UPDATE catalog_changes SET changes = changes + 1 WHERE slot = pg_backend_pid() % 64; END IF;
        RETURN NULL;
      END
      $$;
    `);
    for (const table of TABLES)
      for (const [event, rows] of EVENTS)
        await queryRunner.query(
          `CREATE TRIGGER count_${event.toLowerCase()} AFTER ${event} ON ${table} REFERENCING ${rows} TABLE AS changed
           FOR EACH STATEMENT EXECUTE FUNCTION count_catalog_change()`,
        );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of TABLES)
      for (const [event] of EVENTS) await queryRunner.query(`DROP TRIGGER count_${event.toLowerCase()} ON ${table}`);
    await queryRunner.query('DROP FUNCTION count_catalog_change(); DROP TABLE catalog_changes');
  }
}
