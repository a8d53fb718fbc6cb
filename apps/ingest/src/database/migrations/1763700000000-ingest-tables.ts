import type { MigrationInterface, QueryRunner } from 'typeorm';
import { deadLettersMigrationSql, outboxMigrationSql } from '#libs/outbox';

export class IngestTables1763700000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE receipts (
        site_id integer NOT NULL,
        push_id uuid NOT NULL,
        organization_id integer NOT NULL,
        state text NOT NULL,
        reason text NOT NULL,
        detail text,
        epoch bigint NOT NULL,
        sequence bigint NOT NULL,
        received_at timestamptz NOT NULL,
        settled_at timestamptz NOT NULL,
        changes integer NOT NULL,
        CONSTRAINT receipts_pkey PRIMARY KEY (site_id, push_id)
      );

      CREATE TABLE raw_pushes (
        site_id integer NOT NULL,
        push_id uuid NOT NULL,
        received_at timestamptz NOT NULL,
        organization_id integer NOT NULL,
        content_encoding text NOT NULL,
        body bytea NOT NULL,
        CONSTRAINT raw_pushes_pkey PRIMARY KEY (site_id, push_id, received_at)
      ) PARTITION BY RANGE (received_at);
      CREATE TABLE raw_pushes_default PARTITION OF raw_pushes DEFAULT;

      CREATE TABLE site_states (
        site_id integer NOT NULL,
        organization_id integer NOT NULL,
        site_uuid uuid NOT NULL,
        epoch bigint,
        sequence bigint,
        content_hash text,
        reported_hash text,
        fingerprint text,
        observed_at timestamptz,
        received_at timestamptz,
        complete boolean,
        core_version text,
        php_version text,
        removed_at timestamptz,
        revision integer NOT NULL DEFAULT 0,
        CONSTRAINT site_states_pkey PRIMARY KEY (site_id)
      ) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);

      CREATE TABLE site_inventories (
        site_id integer NOT NULL,
        organization_id integer NOT NULL,
        snapshot text NOT NULL,
        CONSTRAINT site_inventories_pkey PRIMARY KEY (site_id)
      ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

      CREATE TABLE site_modules (
        site_id integer NOT NULL,
        module text NOT NULL,
        epoch bigint NOT NULL,
        sequence bigint NOT NULL,
        organization_id integer NOT NULL,
        type text NOT NULL,
        version text,
        datestamp bigint,
        state text NOT NULL,
        custom boolean NOT NULL,
        valid_from timestamptz NOT NULL,
        valid_to timestamptz,
        end_epoch bigint,
        end_sequence bigint,
        CONSTRAINT site_modules_pkey PRIMARY KEY (site_id, module, epoch, sequence)
      ) WITH (fillfactor = 90);

      CREATE TABLE patch_runs (
        site_id integer NOT NULL,
        epoch bigint NOT NULL,
        sequence bigint NOT NULL,
        organization_id integer NOT NULL,
        push_id uuid NOT NULL,
        after timestamptz NOT NULL,
        observed_at timestamptz NOT NULL,
        items jsonb NOT NULL,
        CONSTRAINT patch_runs_pkey PRIMARY KEY (site_id, epoch, sequence)
      );

      CREATE TABLE known_modules (
        module text NOT NULL,
        type text NOT NULL,
        first_seen_at timestamptz NOT NULL,
        CONSTRAINT known_modules_pkey PRIMARY KEY (module)
      );
    `);
    // Bodies that came uncompressed and snapshots: lz4 takes a tenth of pglz's time. A server built without it keeps its default.
    await queryRunner.query(`
      DO $$ BEGIN
        ALTER TABLE raw_pushes ALTER COLUMN body SET COMPRESSION lz4;
        ALTER TABLE raw_pushes_default ALTER COLUMN body SET COMPRESSION lz4;
        ALTER TABLE site_inventories ALTER COLUMN snapshot SET COMPRESSION lz4;
      EXCEPTION WHEN feature_not_supported THEN NULL;
      END $$
    `);
    await queryRunner.query(ensurePartitions);
    await queryRunner.query(`SELECT ensure_partitions(3)`);
    await queryRunner.query(outboxMigrationSql());
    await queryRunner.query(deadLettersMigrationSql());
    // How a push ended is asked by its id. Not by a JSON operator: those refuse an envelope with an escaped NUL in it.
    await queryRunner.query(`
      CREATE INDEX dead_letters_push ON dead_letters (lower(substring(envelope::text from '"push_id":"([0-9a-fA-F-]{36})"')))
      WHERE type = 'gateway.push-received'
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION ensure_partitions(integer);
      DROP TABLE dead_letters, outbox, known_modules, patch_runs, site_modules, site_inventories, site_states, raw_pushes, receipts;
    `);
  }
}

/**
 * Makes the partitions of this month and the next ones. It runs as its owner, because a service's role may not make tables.
 * Rows of such a month that are in the default partition already (nobody called this in time) are moved.
 * Answers how many partitions it made.
 */
const ensurePartitions = `
  CREATE FUNCTION ensure_partitions(months_ahead integer) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = ingest, pg_temp SET timezone = 'UTC' AS $$
  DECLARE
    month_start timestamptz;
    month_end timestamptz;
    partition_name text;
    made integer := 0;
  BEGIN
    IF months_ahead < 0 OR months_ahead > 24 THEN RAISE EXCEPTION 'months_ahead must be 0 to 24'; END IF;
    PERFORM pg_advisory_xact_lock(4711202502);
    FOR i IN 0..months_ahead LOOP
      month_start := date_trunc('month', now()) + make_interval(months => i);
      month_end := month_start + interval '1 month';
      partition_name := 'raw_pushes_' || to_char(month_start, 'YYYY_MM');
      CONTINUE WHEN to_regclass(partition_name) IS NOT NULL;
      EXECUTE format('CREATE TABLE %I (LIKE raw_pushes INCLUDING ALL)', partition_name);
      EXECUTE format(
        'WITH moved AS (DELETE FROM raw_pushes_default WHERE received_at >= %L AND received_at < %L RETURNING *)
         INSERT INTO %I SELECT * FROM moved', month_start, month_end, partition_name);
      EXECUTE format('ALTER TABLE raw_pushes ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition_name, month_start, month_end);
      made := made + 1;
    END LOOP;
    RETURN made;
  END $$`;
