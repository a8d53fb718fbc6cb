/**
 * DDL of the two tables that a service's own migrations run, unqualified (the search path is the service's schema).
 * Neither table has an entity: they are written and read by this library alone.
 */

/**
 * Events on their way to the streams. Rows live for milliseconds: vacuum goes by their number, not by the table's share, and the
 * bodies are compressed already. The key begins with the queue, so that one queue that cannot be written to stands in nobody's way.
 */
export function outboxMigrationSql(): string {
  return `
    CREATE TABLE outbox (
      id bigint GENERATED ALWAYS AS IDENTITY,
      queue text NOT NULL,
      key text NOT NULL,
      organization_id bigint,
      envelope json NOT NULL,
      body bytea NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (queue, id)
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
    ALTER TABLE outbox ALTER COLUMN body SET STORAGE EXTERNAL;
  `;
}

/**
 * What could not be handled. \`envelope\` and \`raw\` are json, not jsonb: a poisonous message may hold what jsonb refuses (NUL, lone surrogates).
 * One open letter per message and queue, since a message may die, be recorded, and die again before it is acknowledged.
 */
export function deadLettersMigrationSql(): string {
  return `
    CREATE TABLE dead_letters (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      queue text NOT NULL,
      fingerprint text NOT NULL,
      code text NOT NULL,
      detail text NOT NULL,
      handler text,
      deliveries integer NOT NULL,
      message_id text,
      type text,
      key text,
      organization_id bigint,
      envelope json,
      body bytea,
      raw json,
      failed_at timestamptz NOT NULL DEFAULT now(),
      resolution text CHECK (resolution IN ('replayed', 'discarded')),
      resolved_at timestamptz,
      CHECK ((resolution IS NULL) = (resolved_at IS NULL))
    );
    ALTER TABLE dead_letters ALTER COLUMN body SET STORAGE EXTERNAL;
    CREATE UNIQUE INDEX dead_letters_open ON dead_letters (queue, fingerprint) WHERE resolution IS NULL;
    CREATE INDEX dead_letters_organization ON dead_letters (organization_id, failed_at);
  `;
}
