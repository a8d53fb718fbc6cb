import { asSystem, assertIdentifier, TenantClient, typeParsers } from '#libs/database';
import type { Envelope } from '#libs/streams';

/** First number of the lock; the second is made from the schema's name. */
const LOCK_CLASS = 0x70_77_6f;

export interface OutboxRow {
  readonly id: number;
  readonly queue: string;
  readonly envelope: Omit<Envelope, 'body'>;
  readonly body: Buffer;
  /** There are rows of this queue after this one. */
  readonly more: boolean;
}

/** The relay's own connection: the lock lives and dies with it. Every call rejects within ten seconds. */
export interface RelaySession {
  /** Takes the schema's lock unless another session has it. */
  tryLead(): Promise<boolean>;
  /** The oldest rows of every queue but `except`, at most `rows` and about `bytes` a queue, by queue and id. */
  oldest(rows: number, bytes: number, except: readonly string[]): Promise<OutboxRow[]>;
  remove(queue: string, ids: readonly number[]): Promise<void>;
  close(): Promise<void>;
  /** Drops the link without a word; what runs on it rejects. */
  cut(): void;
}

export async function connectRelay(options: { readonly url: string; readonly schema: string }): Promise<RelaySession> {
  assertIdentifier(options.schema);
  const client = new TenantClient({
    connectionString: options.url,
    application_name: `${options.schema}-outbox-relay`,
    // Should this machine vanish, the server must notice and free the lock.
    options: `-c search_path=${options.schema} -c statement_timeout=8000 -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3`,
    types: typeParsers,
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
    keepAlive: true,
    // Queues are published side by side and their rows removed as each is answered for: statements overlap, and leave without waiting for
    // each other. (Without this the client would queue them, which it gives up in its next version.)
    pipeline: true,
  });
  // Without a listener the loss of an idle connection would end the process; the next statement reports it.
  client.on('error', () => undefined);
  const cut = (): void => {
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  };
  try {
    await client.connect();
  } catch (error) {
    cut();
    throw error;
  }
  return {
    tryLead: async () => {
      const { rows } = await client.query<{ leads: boolean }>(
        'SELECT pg_try_advisory_lock($1, hashtext($2)) AS leads',
        [LOCK_CLASS, `${options.schema}.outbox`],
      );
      return rows[0]!.leads;
    },
    oldest: async (rows, bytes, except) =>
      (await asSystem(() => client.query<OutboxRow>({ name: 'oldest', text: OLDEST, values: [rows, bytes, except] })))
        .rows,
    remove: async (queue, ids) => {
      await asSystem(() =>
        client.query({
          name: 'remove',
          text: 'DELETE FROM outbox WHERE queue = $1 AND id = ANY($2::bigint[])',
          values: [queue, ids],
        }),
      );
    },
    close: async () => {
      const polite = client.end().catch(() => undefined);
      let timer: NodeJS.Timeout | undefined;
      const impatient = new Promise<void>((resolve) => (timer = setTimeout(resolve, 1_000)));
      await Promise.race([polite, impatient]);
      clearTimeout(timer);
      cut();
    },
    cut,
  };
}

/**
 * The distinct queues by jumping through the key (queue, id), then a prefix of each. Without statistics that could mislead: every step is an
 * index range. \`octet_length\` of a toasted body reads its pointer only.
 */
const OLDEST = `
  WITH RECURSIVE waiting (queue) AS (
    SELECT min(queue) FROM outbox
    UNION ALL
    SELECT (SELECT min(outbox.queue) FROM outbox WHERE outbox.queue > waiting.queue) FROM waiting WHERE waiting.queue IS NOT NULL
  )
  SELECT taken.id, taken.queue, taken.envelope, taken.body, taken.more
  FROM waiting CROSS JOIN LATERAL (
    SELECT head.*,
           coalesce(sum(octet_length(head.body)) OVER (ORDER BY head.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before,
           lead(head.id) OVER (ORDER BY head.id) IS NOT NULL AS more,
           row_number() OVER (ORDER BY head.id) AS position
    FROM (SELECT id, queue, envelope, body FROM outbox WHERE outbox.queue = waiting.queue ORDER BY id LIMIT $1 + 1) AS head
  ) AS taken
  WHERE waiting.queue IS NOT NULL AND waiting.queue <> ALL ($3::text[]) AND taken.before < $2 AND taken.position <= $1
  ORDER BY taken.queue, taken.id`;
