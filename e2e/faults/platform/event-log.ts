import type pg from 'pg';

/**
 * Writes down, in the very transaction, every row that a service commits to its outbox. Outbox rows live for milliseconds; without this
 * nobody could say afterwards which events there were.
 */
export async function logEvents(admin: pg.ClientBase, schemas: readonly string[]): Promise<void> {
  await admin.query(`
    CREATE SCHEMA faults;
    CREATE TABLE faults.events (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, schema text NOT NULL, outbox_id bigint NOT NULL, queue text NOT NULL,
      message_id text NOT NULL, type text NOT NULL, key text NOT NULL, encoding text NOT NULL, body bytea NOT NULL
    );
    CREATE FUNCTION faults.log_events() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = faults, pg_temp AS $$
    BEGIN
      INSERT INTO faults.events (schema, outbox_id, queue, message_id, type, key, encoding, body)
      SELECT TG_TABLE_SCHEMA, id, queue, envelope->>'id', envelope->>'type', key, envelope->>'contentEncoding', body FROM added ORDER BY id;
      RETURN NULL;
    END $$;
  `);
  for (const schema of schemas) {
    await admin.query(
      `CREATE TRIGGER log_events AFTER INSERT ON ${schema}.outbox REFERENCING NEW TABLE AS added
       FOR EACH STATEMENT EXECUTE FUNCTION faults.log_events()`,
    );
  }
}
