import type { Redis, RedisOptions } from 'ioredis';
import type { HostAndPort } from '#libs/runtime';

const EVERY_MS = 1_000;
const PATIENCE_MS = 1_000;

/**
 * Asks the sentinels every second who leads. A master that stood still (or was cut off) goes on believing in itself until the sentinels reach it, ten
 * seconds and more; a link that has survived the standstill, or was opened just before the failover, would work on its old data meanwhile. Shared by
 * all connections of one `connectRedis`.
 */
export class SentinelWatch {
  /** `ip:port` of the master, as told twice in a row; null: not known yet. */
  private leader: string | null = null;
  private candidate: string | null = null;
  private readonly listeners = new Set<() => void>();
  private timer: NodeJS.Timeout | undefined;
  private asked: Redis | null = null;
  private next = 0;
  private asking = false;

  constructor(
    private readonly sentinels: readonly HostAndPort[],
    private readonly master: string,
    private readonly open: (host: string, port: number, settings: RedisOptions) => Redis,
  ) {}

  /** True when a link to `address` (`ip:port`) goes to the master, or nobody knows better. */
  leads(address: string): boolean {
    // Sentinels may tell host names; a socket knows addresses only, but ports can still differ.
    if (this.leader === null || this.leader === address) return true;
    const isName = !/^[\d.]+:\d+$|^[\da-f]*:.*:\d+$/i.test(this.leader);
    return isName && this.leader.split(':').at(-1) === address.split(':').at(-1);
  }

  /** Begins to watch; `onSwitch` is called when another server leads. @returns what ends it. */
  watch(onSwitch: () => void): () => void {
    this.listeners.add(onSwitch);
    if (this.timer === undefined) {
      this.timer = setInterval(() => void this.ask(), EVERY_MS);
      this.timer.unref();
    }
    return () => {
      this.listeners.delete(onSwitch);
      if (this.listeners.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
      this.giveUp();
    };
  }

  private async ask(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no answer')), PATIENCE_MS);
    });
    try {
      this.take(await Promise.race([this.told(), late]));
    } catch {
      // The next one is asked in a second.
      this.giveUp();
    } finally {
      clearTimeout(timer);
      this.asking = false;
    }
  }

  private async told(): Promise<string | null> {
    if (this.asked === null) {
      const { host, port } = this.sentinels[this.next++ % this.sentinels.length]!;
      const client = this.open(host, port, {
        lazyConnect: true,
        connectionName: 'patchwatch:leader',
        enableReadyCheck: false,
        connectTimeout: PATIENCE_MS,
        retryStrategy: () => null,
        maxRetriesPerRequest: 0,
      });
      client.on('error', () => undefined);
      this.asked = client;
      await client.connect();
    }
    const answer = (await this.asked.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.master)) as
      [string, string] | null;
    return answer === null ? null : `${answer[0]}:${answer[1]}`;
  }

  /** One sentinel alone may be behind the others: what it says counts when it says it again. */
  private take(address: string | null): void {
    if (address === null || address === this.leader) {
      this.candidate = null;
      return;
    }
    const confirmed = this.leader === null || this.candidate === address;
    this.candidate = address;
    if (!confirmed) return;
    const isFirst = this.leader === null;
    this.leader = address;
    this.candidate = null;
    if (!isFirst) for (const listener of [...this.listeners]) listener();
  }

  private giveUp(): void {
    this.asked?.disconnect();
    (this.asked as unknown as { stream?: { destroy(): void } } | null)?.stream?.destroy();
    this.asked = null;
  }
}
