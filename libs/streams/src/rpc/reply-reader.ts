import type { Redis } from 'ioredis';
import type { RedisConnection } from '../redis-connection.js';
import type { StreamsLog } from '../observer.js';
import { MOST_REPLIES } from './rpc-wire.js';

/** The reply stream outlives its process by this long at most. */
const EXPIRES_MS = 30_000;
const RENEW_MS = 5_000;
const BLOCK_MS = 2_000;
const TRIM_MS = 250;
const KEEP_MS = 100;

/**
 * Reads one caller's reply stream. It goes on after the last entry it has read, so that a broken link loses nothing that Redis still
 * has. The key is renewed while the process lives; when Redis has lost it, renewing makes it anew.
 */
export class ReplyReader {
  private readonly blocking: RedisConnection;
  private lastId = '0-0';
  private trimmedTo = '0-0';
  private trimmedAt = 0;
  private renewedAt = -Infinity;
  private renewal: NodeJS.Timeout | undefined;
  private loop: Promise<void> | undefined;
  private stopping = false;

  constructor(
    private readonly connection: RedisConnection,
    private readonly key: string,
    private readonly log: StreamsLog,
    private readonly onReply: (number: number, json: string) => void,
  ) {
    this.blocking = connection.sibling({ name: `${connection.name}-replies`, role: 'blocking' });
  }

  async start(): Promise<void> {
    await this.renew();
    this.renewal = setInterval(() => void this.renew(), RENEW_MS);
    this.renewal.unref();
    this.loop = this.read();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    clearInterval(this.renewal);
    await this.connection.run((client) => client.del(this.key), 500).catch(() => undefined);
    await this.blocking.close();
    await this.loop;
  }

  /**
   * Sends what keeps the stream there, unless that was done a moment ago. An entry of ours makes the stream if need be; servers add to
   * an existing one only, or the key would never expire. What follows on the same link finds the stream there.
   */
  keepAlive(client: Redis): void {
    const now = performance.now();
    if (now - this.renewedAt < KEEP_MS) return;
    this.renewedAt = now;
    void this.keep(client).catch(() => {
      this.renewedAt = -Infinity;
    });
  }

  private async keep(client: Redis): Promise<void> {
    const made = client.xadd(this.key, 'MAXLEN', '~', MOST_REPLIES, '*', '', '');
    await Promise.all([made, client.pexpire(this.key, EXPIRES_MS)]);
  }

  private async renew(): Promise<void> {
    try {
      await this.connection.run((client) => this.keep(client));
    } catch {
      // Comes again soon; until then calls fail by their own commands.
    }
  }

  private async read(): Promise<void> {
    while (!this.stopping) {
      try {
        const reply = (await this.blocking.run(
          (client) => client.xread('COUNT', 512, 'BLOCK', BLOCK_MS, 'STREAMS', this.key, this.lastId),
          BLOCK_MS + 2_000,
        )) as unknown;
        for (const [id, fields] of entriesOf(reply)) {
          this.lastId = id;
          this.deliver(fields);
        }
        this.trim();
      } catch (error) {
        if (this.stopping) return;
        this.log.warn({ error: String(error) }, 'Reading RPC replies failed; trying again');
        // A Redis that started over, or another one, may count from behind our last id. Answers read twice find nobody waiting.
        this.lastId = '0-0';
        await this.blocking.ready(1_000).catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 50));
        await this.renew();
      }
    }
  }

  private deliver(fields: readonly string[]): void {
    for (let i = 0; i + 1 < fields.length; i += 2) {
      if (fields[i] === '') continue;
      try {
        this.onReply(Number(fields[i]), fields[i + 1]!);
      } catch (error) {
        this.log.error({ error: String(error) }, 'An RPC reply could not be read');
      }
    }
  }

  /** What was read is of no use to anyone. Now and then, since it is a command of its own. */
  private trim(): void {
    const now = performance.now();
    if (this.lastId === this.trimmedTo || now - this.trimmedAt < TRIM_MS) return;
    this.trimmedAt = now;
    this.trimmedTo = this.lastId;
    this.connection.run((client) => client.xtrim(this.key, 'MINID', this.lastId)).catch(() => undefined);
  }
}

export type TextEntry = readonly [id: string, fields: readonly string[]];

/** The entries of one stream in a reply of XREAD or XREADGROUP, whichever protocol shaped it. */
export function entriesOf(reply: unknown): readonly TextEntry[] {
  if (typeof reply !== 'object' || reply === null) return [];
  if (Array.isArray(reply)) return (reply as [key: string, entries: readonly TextEntry[]][])[0]?.[1] ?? [];
  const values = reply instanceof Map ? [...reply.values()] : Object.values(reply);
  return (values as (readonly TextEntry[])[])[0] ?? [];
}
