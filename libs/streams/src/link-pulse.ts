import type { RedisConnection } from './redis-connection.js';

const EVERY_MS = 1_000;
const PATIENCE_MS = 2_000;
/** A replica that has not said how far it is for so long (seconds; it does every second) confirms nothing. */
const MOST_LAG_S = 5;

/**
 * Asks the servers of a connection for a sign of life every second, so that a link whose other end has vanished without a word is noticed, and
 * replaced, within three seconds, also while nothing is sent on it. Where replicas must confirm, they are counted as well.
 */
export class LinkPulse {
  private timer: NodeJS.Timeout | undefined;
  private asking: Promise<void> | undefined;
  private trouble: string | null = null;

  constructor(
    private readonly connection: RedisConnection,
    private readonly replicas = 0,
    private readonly everyMs = EVERY_MS,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  start(): void {
    this.timer ??= setInterval(() => void this.ask(), this.everyMs);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Red from the first question without an answer until one is answered again. */
  health(): { readonly ok: boolean; readonly detail: string } {
    return this.trouble === null ? { ok: true, detail: this.connection.name } : { ok: false, detail: this.trouble };
  }

  /** Asks now, or waits for the question under way. Never rejects. */
  ask(): Promise<void> {
    this.asking ??= this.askAll().finally(() => {
      this.asking = undefined;
    });
    return this.asking;
  }

  /** @returns how many replicas follow closely, where that matters */
  private async askOne(node: RedisConnection): Promise<number> {
    if (this.replicas === 0) {
      await node.run((client) => client.ping(), this.patienceMs);
      return 0;
    }
    const info = await node.run((client) => client.info('replication'), this.patienceMs);
    const lags = [...info.matchAll(/^slave\d+:.*state=online.*,lag=(\d+)/gm)].map(([, lag]) => Number(lag));
    return lags.filter((lag) => lag <= MOST_LAG_S).length;
  }

  private async askAll(): Promise<void> {
    try {
      const nodes = this.connection.nodes();
      if (nodes.length === 0) throw new Error(`${this.connection.name}: no node of the Redis Cluster has answered yet`);
      const found = await Promise.all(nodes.map((node) => this.askOne(node)));
      const fewest = Math.min(...found);
      this.trouble = fewest < this.replicas ? `a server has ${fewest} of ${this.replicas} replicas` : null;
    } catch (error) {
      this.trouble = error instanceof Error ? error.message : String(error);
    }
  }
}
