import type { Redis, RedisOptions } from 'ioredis';
import type { HostAndPort } from '#libs/runtime';
import { RedisUnavailableError } from './failures.js';
import type { StreamsLog } from './observer.js';

const SLOTS = 16_384;
/** Between two looks at the map while nothing is wrong, and at least between two when something is. */
const REFRESH_MS = 5_000;
const SOON_MS = 200;
/** Patience with one node that is asked for the map. */
const ASK_MS = 1_500;

/** Opens a client to one node. */
export type OpenNode = (host: string, port: number, settings: RedisOptions) => Redis;

type SlotRange = readonly [first: number, last: number, master: readonly [host: string | null, port: number]];

/**
 * Which master of a Redis Cluster has which slots, as its nodes tell. Shared by all connections of one `connectRedis`; asked anew when a node says
 * MOVED, when a link fails, and every few seconds: a failover shows here first.
 */
export class ClusterTopology {
  private owners: (string | undefined)[] = [];
  private known: readonly string[] = [];
  private users = 0;
  private timer: NodeJS.Timeout | undefined;
  private soon: NodeJS.Timeout | undefined;
  private asking: Promise<void> | undefined;
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly seeds: readonly HostAndPort[],
    private readonly open: OpenNode,
    private readonly log: StreamsLog,
  ) {}

  /** `host:port` of all masters that have slots. */
  get masters(): readonly string[] {
    return this.known;
  }

  /** True when every slot has a master. */
  get isComplete(): boolean {
    return this.owners.length === SLOTS && !this.owners.includes(undefined);
  }

  /** `host:port` of the master that has `slot`; undefined: not known. */
  ownerOf(slot: number): string | undefined {
    return this.owners[slot];
  }

  /** A node said that `slot` is at `address` now. The rest of the map is asked for soon. */
  moved(slot: number, address: string): void {
    this.owners[slot] = address;
    if (!this.known.includes(address)) this.known = [...this.known, address];
    this.refreshSoon();
  }

  /** Something went wrong with a node: perhaps another one has its slots by now. */
  refreshSoon(): void {
    if (this.users === 0) return;
    this.soon ??= setTimeout(() => {
      this.soon = undefined;
      void this.refresh();
    }, SOON_MS);
  }

  /** Begins to watch; `onChange` is called when the set of masters is another one. @returns what ends it. */
  watch(onChange: () => void): () => void {
    this.listeners.add(onChange);
    if (this.users++ === 0) {
      void this.refresh();
      this.timer = setInterval(() => void this.refresh(), REFRESH_MS);
      this.timer.unref();
    }
    return () => {
      if (!this.listeners.delete(onChange) || --this.users > 0) return;
      clearInterval(this.timer);
      clearTimeout(this.soon);
      this.soon = undefined;
    };
  }

  /** Resolves when every slot has a master. @throws RedisUnavailableError after `timeoutMs`. */
  async ready(timeoutMs: number): Promise<void> {
    const end = performance.now() + timeoutMs;
    while (!this.isComplete) {
      await this.refresh();
      if (this.isComplete) return;
      if (performance.now() >= end)
        throw new RedisUnavailableError(`No node of the Redis Cluster told in ${timeoutMs} ms who has all slots.`);
      await new Promise((resolve) => setTimeout(resolve, SOON_MS));
    }
  }

  /** Asks one node after the other until one knows all. Never rejects, never twice at once. */
  refresh(): Promise<void> {
    this.asking ??= this.ask().finally(() => {
      this.asking = undefined;
    });
    return this.asking;
  }

  private async ask(): Promise<void> {
    const seeds = this.seeds.map(({ host, port }) => `${host}:${port}`);
    for (const address of new Set([...shuffled(this.known), ...shuffled(seeds)])) {
      try {
        const ranges = await this.slotsOf(address);
        if (ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0) < SLOTS) continue;
        return this.take(ranges, hostOf(address));
      } catch (error) {
        this.log.info(
          { node: address, error: messageOf(error) },
          'a node of the Redis Cluster does not tell its slots',
        );
      }
    }
  }

  private async slotsOf(address: string): Promise<SlotRange[]> {
    const client = this.open(hostOf(address), portOf(address), {
      lazyConnect: true,
      connectionName: 'patchwatch:topology',
      connectTimeout: ASK_MS,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
    });
    client.on('error', () => undefined);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${ASK_MS} ms`)), ASK_MS);
    });
    const answer = client.connect().then(() => client.cluster('SLOTS'));
    answer.catch(() => undefined);
    try {
      return (await Promise.race([answer, late])) as unknown as SlotRange[];
    } finally {
      clearTimeout(timer);
      client.disconnect();
      (client as unknown as { stream?: { destroy(): void } }).stream?.destroy();
    }
  }

  private take(ranges: readonly SlotRange[], askedHost: string): void {
    const owners = Array.from<string>({ length: SLOTS });
    // A node that does not know its own address leaves it empty: it is where we have asked.
    for (const [first, last, [host, port]] of ranges) owners.fill(`${host || askedHost}:${port}`, first, last + 1);
    const masters = [...new Set(owners)].sort();
    const changed = masters.join() !== [...this.known].sort().join();
    this.owners = owners;
    this.known = masters;
    if (!changed) return;
    this.log.info({ masters }, 'masters of the Redis Cluster');
    for (const listener of [...this.listeners]) listener();
  }
}

export function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}

export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
