import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What an inventory that changed something was as a whole, kept with the history, so that everything others derive from it can be told
 * again when receipts and raw pushes are gone; and what is needed to let those go: days instead of months, and an index by age.
 */
export class HistoryAndRetention1763800000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE inventory_changes (
        site_id integer NOT NULL,
        epoch bigint NOT NULL,
        sequence bigint NOT NULL,
        organization_id integer NOT NULL,
        push_id uuid NOT NULL,
        observed_at timestamptz NOT NULL,
        previous_observed_at timestamptz,
        received_at timestamptz NOT NULL,
        complete boolean NOT NULL,
        first boolean NOT NULL,
        core_version text,
        php_version text,
        reconstructed boolean NOT NULL DEFAULT false,
        CONSTRAINT inventory_changes_pkey PRIMARY KEY (site_id, epoch, sequence)
      );
      CREATE INDEX receipts_settled ON receipts (settled_at);
    `);
    await queryRunner.query(reconstructed);
    await queryRunner.query(`
      DROP FUNCTION ensure_partitions(integer);
      DO $$
      DECLARE
        month text;
        empty boolean;
      BEGIN
        -- Months that nothing was written to make place for days; the others stay until their time is over.
        FOR month IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                     WHERE i.inhparent = 'raw_pushes'::regclass AND c.relname ~ '^raw_pushes_\\d{4}_\\d{2}$' LOOP
          EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I)', month) INTO empty;
          IF empty THEN EXECUTE format('DROP TABLE %I', month); END IF;
        END LOOP;
      END $$;
    `);
    await queryRunner.query(ensurePartitions);
    await queryRunner.query(dropPartitions);
    await queryRunner.query('SELECT ensure_partitions(14)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION drop_partitions(integer);
      DROP INDEX receipts_settled;
      DROP TABLE inventory_changes;
    `);
  }
}

/**
 * What earlier releases kept of applied inventories, put together from receipts, history and patch runs. Core and PHP are known of the
 * current one only, and the look before is at best the last one that changed something: hence the mark.
 */
const reconstructed = `
  WITH looked AS (
    SELECT site_id, epoch, sequence, min(at) AS at
    FROM (SELECT site_id, epoch, sequence, valid_from AS at FROM site_modules
          UNION ALL
          SELECT site_id, end_epoch, end_sequence, valid_to FROM site_modules WHERE end_epoch IS NOT NULL) moments
    GROUP BY site_id, epoch, sequence
  ), applied AS (
    SELECT r.site_id, r.epoch, r.sequence, r.organization_id, r.push_id, r.received_at, coalesce(l.at, r.received_at) AS observed_at
    FROM receipts r LEFT JOIN looked l USING (site_id, epoch, sequence)
    WHERE r.state = 'applied' AND r.reason = 'changed'
  )
  INSERT INTO inventory_changes (site_id, epoch, sequence, organization_id, push_id, observed_at, previous_observed_at, received_at,
    complete, first, core_version, php_version, reconstructed)
  SELECT a.site_id, a.epoch, a.sequence, a.organization_id, a.push_id, a.observed_at,
         coalesce(p.after, lag(a.observed_at) OVER before), a.received_at, true, lag(a.push_id) OVER before IS NULL,
         s.core_version, s.php_version, true
  FROM applied a
  LEFT JOIN patch_runs p USING (site_id, epoch, sequence)
  LEFT JOIN site_states s ON s.site_id = a.site_id AND s.epoch = a.epoch AND s.sequence = a.sequence
  WINDOW before AS (PARTITION BY a.site_id ORDER BY a.epoch, a.sequence)`;

/**
 * Makes the partitions of today and the next days. It runs as its owner, because a service's role may not make tables. Rows of such a day that
 * are in the default partition already (nobody called this in time) are moved. Answers how many partitions it made.
 */
const ensurePartitions = `
  CREATE FUNCTION ensure_partitions(days_ahead integer) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = ingest, pg_temp SET timezone = 'UTC' SET lock_timeout = '5s' AS $$
  DECLARE
    day_start timestamptz;
    day_end timestamptz;
    partition_name text;
    made integer := 0;
  BEGIN
    IF days_ahead < 0 OR days_ahead > 60 THEN RAISE EXCEPTION 'days_ahead must be 0 to 60'; END IF;
    PERFORM pg_advisory_xact_lock(4711202502);
    FOR i IN 0..days_ahead LOOP
      day_start := date_trunc('day', now()) + make_interval(days => i);
      day_end := day_start + interval '1 day';
      partition_name := 'raw_pushes_' || to_char(day_start, 'YYYY_MM_DD');
      CONTINUE WHEN to_regclass(partition_name) IS NOT NULL OR to_regclass('raw_pushes_' || to_char(day_start, 'YYYY_MM')) IS NOT NULL;
      EXECUTE format('CREATE TABLE %I (LIKE raw_pushes INCLUDING ALL)', partition_name);
      EXECUTE format(
        'WITH moved AS (DELETE FROM raw_pushes_default WHERE received_at >= %L AND received_at < %L RETURNING *)
         INSERT INTO %I SELECT * FROM moved', day_start, day_end, partition_name);
      EXECUTE format('ALTER TABLE raw_pushes ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition_name, day_start, day_end);
      made := made + 1;
    END LOOP;
    RETURN made;
  END $$`;

/** Drops the partitions all of whose rows are older than `keep_days`. Answers how many. Gives up rather than make pushes wait. */
const dropPartitions = `
  CREATE FUNCTION drop_partitions(keep_days integer) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = ingest, pg_temp SET timezone = 'UTC' SET lock_timeout = '2s' AS $$
  DECLARE
    partition record;
    dropped integer := 0;
  BEGIN
    IF keep_days < 1 THEN RAISE EXCEPTION 'keep_days must be at least 1'; END IF;
    PERFORM pg_advisory_xact_lock(4711202502);
    FOR partition IN
      SELECT c.relname AS name,
             CASE WHEN c.relname ~ '_\\d{4}_\\d{2}_\\d{2}$' THEN to_date(right(c.relname, 10), 'YYYY_MM_DD') + 1
                  ELSE (to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month')::date END AS ends
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = 'raw_pushes'::regclass AND c.relname ~ '^raw_pushes_\\d{4}_\\d{2}(_\\d{2})?$'
      ORDER BY c.relname
    LOOP
      CONTINUE WHEN partition.ends > (now() - make_interval(days => keep_days))::date;
      EXECUTE format('DROP TABLE %I', partition.name);
      dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
  END $$`;
