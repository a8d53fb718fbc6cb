import type { ClaimPolicy, HandBack, StreamEntry, StreamLane } from './broker.js';
import type { Redis } from 'ioredis';
import type { RedisConnection } from './redis-connection.js';
import { CLAIM_DUE, FORGET, HAND_BACK, RECOVER_LOST, RENEW, SETTLE } from './lua/lane-scripts.js';
import { runScript } from './lua/script.js';
import type { LuaScript } from './lua/script.js';
import { silentLog } from './observer.js';
import type { QueueDepth, StreamsLog, StreamsObserver } from './observer.js';
import { readDepth } from './redis-depth.js';
import { makeGroup } from './make-group.js';
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
  readonly log?: StreamsLog | undefined;
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
  /** The reading client with Redis's number of it, to wake it; null when unknown. */
  private blocked: { readonly client: Redis; readonly id: number } | null = null;

  /** The group answered before: should it be missing now, something was lost. */
  private seen = false;
  private lastDepth: { readonly length: number; readonly at: number } | null = null;

  constructor(private readonly options: RedisLaneOptions) {
    this.queue = options.queue;
    this.partition = options.partition;
    this.consumer = options.consumer;
    this.key = streamKey(options.queue, options.partition);
  }

  async read(count: number, waitMs: number): Promise<StreamEntry[]> {
    const { reader } = this.options;
    try {
      const node = reader.nodeOf(this.key);
      if (!node.isReady) await node.ready(READ_GRACE_MS);
      const { client: link } = node;
      if (this.blocked?.client !== link)
        this.blocked = { client: link, id: await node.run((client) => client.client('ID')) };
      const reply = await reader.runOn(
        this.key,
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
      this.seen = true;
      return newEntries(reply);
    } catch (error) {
      this.blocked = null;
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
    const depth = await readDepth(this.options.commands, this.key);
    this.lastDepth = { length: depth.length, at: Date.now() };
    return depth;
  }

  async forgetSilent(silentMs: number): Promise<number> {
    return Number((await this.script(FORGET, [GROUP, '', silentMs, WAITING, PARKED])) ?? 0);
  }

  async leave(): Promise<void> {
    await this.script(FORGET, [GROUP, this.consumer, 0, WAITING, PARKED]);
  }

  interrupt(): void {
    const { commands, reader } = this.options;
    const { id } = this.blocked ?? {};
    if (id === undefined) return;
    try {
      // Should the read have moved to another link by now, nobody is woken and it ends with its BLOCK time.
      if (reader.nodeOf(this.key).client !== this.blocked!.client) return;
      const node = commands.nodeOf(this.key);
      node.run((client) => client.client('UNBLOCK', id)).catch(() => undefined);
    } catch {
      // No node is known for the key: nothing can be read from it either.
    }
  }

  async close(): Promise<void> {
    await this.options.reader.close();
  }

  private async script(script: LuaScript, args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await runScript(this.options.commands, script, this.key, args);
    } catch (error) {
      if (!isGroupGone(error)) throw error;
      await this.createGroup();
      return null;
    }
  }

  /** At 0, so that whatever is in the stream is delivered: a service deployed late misses nothing. */
  private async createGroup(): Promise<void> {
    const { queue, partition, seen, lastDepth } = this;
    const { commands, observer, log = silentLog } = this.options;
    const cause = await makeGroup(commands, this.key, seen);
    // Named by everyone who has seen it, also when another process was quicker to make it anew: each knows another depth.
    if (seen) {
      const known = lastDepth === null ? {} : { messages: lastDepth.length, ms_ago: Date.now() - lastDepth.at };
      log.error({ queue, partition, cause: cause ?? 'made_anew_by_another', ...known }, LOST);
      this.seen = false;
      this.lastDepth = null;
    }
    if (cause !== null) observer?.groupCreated?.(queue, partition, 'consumer', cause);
  }
}

const LOST =
  'a queue lost its group or its stream: `messages` is how many were in it `ms_ago` milliseconds before, all of them gone if the stream is';

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
