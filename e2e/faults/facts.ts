import { QUEUES } from '#libs/contracts';
import { GROUP, streamKey } from '#libs/streams';
import { readEffects } from './effects.js';
import type { DeadFact, Facts, HistoryFact, Place, ReceiptFact, StreamFact } from './identity.js';
import type { Ledger } from './ledger.js';
import type { Platform } from './platform/platform.js';
import type { Scope } from './scope.js';

/**
 * A consumer that was silent for so long is no live one: its process is gone, its name goes later. A live one asks every second, and gives
 * a question up after two and a half.
 */
const LIVE_MS = 2_500;

/** Reads what is known of a scenario when its queues are empty. */
export async function readFacts(
  platform: Platform,
  scope: Scope,
  ledger: Ledger,
  named: readonly string[],
): Promise<Facts> {
  const sites = [scope.siteIds];
  const receipts = await platform.query<ReceiptFact>(
    `SELECT push_id::text AS "pushId", site_id AS "siteId", state, reason, epoch::float8 AS epoch, sequence::float8 AS sequence, changes,
            EXISTS (SELECT 1 FROM ingest.raw_pushes w WHERE w.site_id = r.site_id AND w.push_id = r.push_id) AS "hasPayload"
     FROM ingest.receipts r WHERE site_id = ANY($1::int[])`,
    sites,
  );
  const states = await platform.query<Place>(
    `SELECT site_id AS "siteId", epoch::float8 AS epoch, sequence::float8 AS sequence FROM ingest.site_states
     WHERE site_id = ANY($1::int[]) AND epoch IS NOT NULL`,
    sites,
  );
  const history = await platform.query<HistoryFact>(
    `SELECT site_id AS "siteId", module, epoch::float8 AS epoch, sequence::float8 AS sequence,
            extract(epoch FROM valid_from)::float8 * 1000 AS "validFrom", extract(epoch FROM valid_to)::float8 * 1000 AS "validTo",
            end_epoch::float8 AS "endEpoch", end_sequence::float8 AS "endSequence"
     FROM ingest.site_modules WHERE site_id = ANY($1::int[])`,
    sites,
  );
  const [left] = await platform.query<{ rows: number }>(
    `SELECT (${['gateway', 'ingest', 'catalog', 'reporting'].map((schema) => `(SELECT count(*) FROM ${schema}.outbox)`).join(' + ')})::int AS rows`,
  );
  return {
    accepted: ledger.read('accepted'),
    doubtful: ledger.read('doubtful'),
    receipts,
    dead: await readDead(platform, scope),
    states,
    history,
    effects: await readEffects(platform, scope),
    streams: await readStreams(platform),
    outbox: left!.rows,
    named,
  };
}

/** Open letters of pushes since the beginning of the scenario. */
export async function readDead(platform: Platform, scope: Scope): Promise<DeadFact[]> {
  return platform.query<DeadFact>(
    `SELECT id::int AS id, code, lower(substring(envelope::text from '"push_id":"([0-9a-fA-F-]{36})"')) AS "pushId"
     FROM ingest.dead_letters WHERE resolution IS NULL AND id > $1 AND queue = $2`,
    [scope.deadSince.ingest, QUEUES.ingestPushes.name],
  );
}

/** Every queue's streams, as they are now. */
export async function readStreams(platform: Platform): Promise<StreamFact[]> {
  const facts: StreamFact[] = [];
  for (const queue of Object.values(QUEUES)) {
    const processes = platform.fleet(queue.subscriber).length;
    for (let partition = 0; partition < (queue.partitioned ? platform.partitions : 1); partition++) {
      const key = streamKey(queue.name, partition);
      const stream = `${queue.name}.${partition}`;
      const length = await platform.streams.xlen(key);
      const [pending, consumers] = await Promise.all([
        platform.streams.xpending(key, GROUP).then(([count]) => Number(count), absent(0)),
        platform.streams.xinfo('CONSUMERS', key, GROUP).then((rows) => (rows as unknown[]).map(pairs), absent([])),
      ]);
      // A blocked reader's `inactive` says when it last got something, `idle` when it last asked.
      const live = consumers.filter(
        ({ name, idle }) => Number(idle) < LIVE_MS && !['waiting', 'parked'].includes(String(name)),
      );
      facts.push({ stream, length, pending, liveConsumers: live.length, processes });
    }
  }
  return facts;
}

/** No stream, or no group: nothing was ever sent there. */
function absent<T>(nothing: T): (error: Error) => T {
  return (error) => {
    if (/NOGROUP|no such key/i.test(error.message)) return nothing;
    throw error;
  };
}

/** Redis answers with a list of names and values, or with an object, by the protocol spoken. */
function pairs(row: unknown): Record<string, unknown> {
  if (!Array.isArray(row)) return row as Record<string, unknown>;
  const record: Record<string, unknown> = {};
  for (let i = 0; i + 1 < row.length; i += 2) record[String(row[i])] = row[i + 1] as unknown;
  return record;
}
