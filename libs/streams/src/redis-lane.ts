import type { ClaimPolicy, HandBack, StreamEntry, StreamLane } from './broker.js';
import type { RedisConnection } from './connect-redis.js';
import { CLAIM_DUE, FORGET, HAND_BACK, RECOVER_LOST, RENEW, SETTLE } from './lua/lane-scripts.js';
import { runScript } from './lua/script.js';
import type { LuaScript } from './lua/script.js';
import type { QueueDepth, StreamsObserver } from './observer.js';
import { readDepth } from './redis-depth.js';
import { GROUP, PARKED, WAITING, streamKey } from './stream-key.js';

/** How long after its BLOCK time a reading command may stay silent before its client is given up. */
const READ_GRACE_MS = 1_500;

/** Handed back for `now`: a month idle, so that any delay has passed. */
const LONG_AGO_MS = 30 * 24 * 3_600_000;

export interface RedisLaneOptions {
  readonly queue: string;
  readonly partition: number;
  readonly consumer: string;
  /** For all but the blocking read; may be shared by lanes. */
  readonly commands: RedisConnection;
  /** Of role `blocking`, this lane's own; closed with it. */
  readonly reader: RedisConnection;
  readonly observer?: StreamsObserver | undefined;
}

/**
 * One partition of a queue on Redis.
 *
 * Structures, all under one key: the stream (entries until they are settled), its group `workers` with the pending list
 * (who got what, how long ago, how often). Two owners in that list are no processes: `waiting` holds what failed and
 * `parked` what nobody understood. So the whole state of retries lives in Redis and outlives every process.
 *
 * Error branches: link away or a reply late → RedisUnavailableError, the client is replaced (what the reply held is found
 * again by `recoverLost`); stream or group gone (FLUSHALL, DEL, XGROUP DESTROY, also while a read blocks) → the group is
 * created at 0, reported, and the caller sees an empty answer.
 */
export class RedisLane implements StreamLane {
  readonly queue: string;
  readonly partition: number;
  readonly consumer: string;
  private readonly key: string;
  /** Redis's number of the reading link, to wake it; null when unknown. */
  private readerId: number | null = null;

  constructor(private readonly options: RedisLaneOptions) {
    this.queue = options.queue;
    this.partition = options.partition;
    this.consumer = options.consumer;
    this.key = streamKey(options.queue, options.partition);
  }

  async read(count: number, waitMs: number): Promise<StreamEntry[]> {
    const { reader } = this.options;
    try {
      if (!reader.isReady) await reader.ready(READ_GRACE_MS);
      if (this.readerId === null) this.readerId = await reader.run((client) => client.client('ID'));
      const reply = await reader.run(
        (client) =>
          waitMs > 0
            ? client.xreadgroupBuffer(
                'GROUP',
                GROUP,
                this.consumer,
                'COUNT',
                count,
                'BLOCK',
                waitMs,
                'STREAMS',
                this.key,
                '>',
              )
            : client.xreadgroupBuffer('GROUP', GROUP, this.consumer, 'COUNT', count, 'STREAMS', this.key, '>'),
        waitMs + READ_GRACE_MS,
      );
      return newEntries(reply);
    } catch (error) {
      this.readerId = null;
      if (!isGroupGone(error)) throw error;
      await this.createGroup();
      return [];
    }
  }

  async claimDue(policy: ClaimPolicy, count: number): Promise<StreamEntry[]> {
    const reply = await this.script(CLAIM_DUE, [
      GROUP,
      this.consumer,
      count,
      policy.leaseMs,
      policy.retryMs,
      policy.laterMs,
      policy.maxDelayMs,
      WAITING,
      PARKED,
    ]);
    return claimedEntries(reply);
  }

  async recoverLost(held: ReadonlySet<string>, count: number): Promise<StreamEntry[]> {
    return claimedEntries(await this.script(RECOVER_LOST, [GROUP, this.consumer, count, ...held]));
  }

  async renew(ids: readonly string[]): Promise<string[]> {
    if (ids.length === 0) return [];
    const reply = await this.script(RENEW, [GROUP, this.consumer, ...ids]);
    return Array.isArray(reply) ? reply.map(String) : [];
  }

  async handBack(entries: readonly HandBack[]): Promise<void> {
    if (entries.length === 0) return;
    const args = entries.flatMap((entry) => [
      entry.id,
      entry.when === 'later' ? PARKED : WAITING,
      entry.when === 'now' ? LONG_AGO_MS : 0,
      Math.max(entry.deliveries, 0),
    ]);
    await this.script(HAND_BACK, [GROUP, this.consumer, ...args]);
  }

  async settle(ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return 0;
    return Number(await this.script(SETTLE, [GROUP, ...ids]));
  }

  async depth(): Promise<QueueDepth> {
    return readDepth(this.options.commands, this.key);
  }

  async forgetSilent(silentMs: number): Promise<number> {
    return Number((await this.script(FORGET, [GROUP, '', silentMs, WAITING, PARKED])) ?? 0);
  }

  async leave(): Promise<void> {
    await this.script(FORGET, [GROUP, this.consumer, 0, WAITING, PARKED]);
  }

  interrupt(): void {
    const id = this.readerId;
    if (id === null) return;
    // Should the link have another number by now, nobody is woken and the read ends with its BLOCK time.
    this.options.commands.run((client) => client.client('UNBLOCK', id)).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.options.reader.close();
  }

  private async script(script: LuaScript, args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.options.commands.run((client) => runScript(client, script, this.key, args));
    } catch (error) {
      if (!isGroupGone(error)) throw error;
      await this.createGroup();
      return null;
    }
  }

  /** At 0, so that whatever is in the stream is delivered: a service deployed late misses nothing. */
  private async createGroup(): Promise<void> {
    try {
      await this.options.commands.run((client) => client.xgroup('CREATE', this.key, GROUP, '0', 'MKSTREAM'));
      this.options.observer?.groupCreated?.(this.queue, this.partition, 'consumer');
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('BUSYGROUP')) throw error;
    }
  }
}

/** Redis 7.0 wakes a blocked reader of a deleted stream with UNBLOCKED, later versions with NOGROUP. */
function isGroupGone(error: unknown): boolean {
  return error instanceof Error && /^(NOGROUP|UNBLOCKED)|no such key/i.test(error.message);
}

/** `[[key, [[id, [name, value, …]], …]]]` or null. Everything read as new is a first delivery. */
function newEntries(reply: unknown): StreamEntry[] {
  if (!Array.isArray(reply)) return [];
  const entries: StreamEntry[] = [];
  for (const [, items] of reply as [Buffer, [Buffer, Buffer[] | null][]][]) {
    for (const [id, fields] of items) entries.push({ id: id.toString('latin1'), delivery: 1, fields: fields ?? [] });
  }
  return entries;
}

/** `[[id, deliveries, [name, value, …]], …]` of the claiming scripts. */
function claimedEntries(reply: unknown): StreamEntry[] {
  if (!Array.isArray(reply)) return [];
  return (reply as [Buffer, number, Buffer[]][]).map(([id, deliveries, fields]) => ({
    id: id.toString('latin1'),
    delivery: Number(deliveries),
    fields,
  }));
}
