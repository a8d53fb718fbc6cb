import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantPolicies, tenantPolicySql, TENANCY_SETTINGS } from '#libs/database';

/** New days of `raw_pushes` are under row-level security from their first moment, also for who names a day instead of the whole. */
export class PartitionsOfTenants1764300000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(ensurePartitions(true));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(ensurePartitions(false));
  }
}

const policies = tenantPolicies({ name: 'raw_pushes', columns: ['site_id', 'organization_id'] })!;

/**
 * As before: makes the partitions of today and the next days, as its owner, and moves rows that were in the default partition. An owner that is no
 * superuser is held by row-level security, too; it moves the rows of all.
 */
function ensurePartitions(separated: boolean): string {
  const separate = `EXECUTE format($policy$ ${tenantPolicySql('%1$I', policies)} $policy$, partition_name);`;
  return `
  CREATE OR REPLACE FUNCTION ensure_partitions(days_ahead integer) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = ingest, pg_temp SET timezone = 'UTC' SET lock_timeout = '5s' AS $$
  DECLARE
    day_start timestamptz;
    day_end timestamptz;
    partition_name text;
    made integer := 0;
  BEGIN
    IF days_ahead < 0 OR days_ahead > 60 THEN RAISE EXCEPTION 'days_ahead must be 0 to 60'; END IF;
    ${separated ? `PERFORM set_config('${TENANCY_SETTINGS[0]}', 'system', true);` : ''}
    PERFORM pg_advisory_xact_lock(4711202502);
    FOR i IN 0..days_ahead LOOP
      day_start := date_trunc('day', now()) + make_interval(days => i);
      day_end := day_start + interval '1 day';
      partition_name := 'raw_pushes_' || to_char(day_start, 'YYYY_MM_DD');
      CONTINUE WHEN to_regclass(partition_name) IS NOT NULL OR to_regclass('raw_pushes_' || to_char(day_start, 'YYYY_MM')) IS NOT NULL;
      EXECUTE format('CREATE TABLE %I (LIKE raw_pushes INCLUDING ALL)', partition_name);
      ${separated ? separate : ''}
      EXECUTE format(
        'WITH moved AS (DELETE FROM raw_pushes_default WHERE received_at >= %L AND received_at < %L RETURNING *)
         INSERT INTO %I SELECT * FROM moved', day_start, day_end, partition_name);
      EXECUTE format('ALTER TABLE raw_pushes ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition_name, day_start, day_end);
      made := made + 1;
    END LOOP;
    RETURN made;
  END $$`;
}
