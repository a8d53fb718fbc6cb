import type { RedisConnection } from '../connect-redis.js';
import { cancelChannel } from './rpc-wire.js';

/** Cancellations remembered for questions that are still in the stream. Beyond it the oldest are forgotten and worked on in vain. */
const REMEMBERED = 4_096;
const CHECK_MS = 1_000;

/** Hears which questions nobody waits for any more. Best effort: what it misses ends at its deadline. */
export class CancelSubscription {
  private readonly connection: RedisConnection;
  private readonly cancelled = new Set<string>();
  private subscribed: unknown;
  private check: NodeJS.Timeout | undefined;

  constructor(
    connection: RedisConnection,
    private readonly service: string,
    /** @returns whether the question was in work. */
    private readonly onCancel: (id: string) => boolean,
  ) {
    this.connection = connection.sibling({ name: `${connection.name}-cancels`, role: 'blocking' });
  }

  async start(): Promise<void> {
    await this.connection.ready();
    await this.subscribe();
    // A replaced client is another object and knows nothing of the subscription.
    this.check = setInterval(() => void this.subscribe().catch(() => undefined), CHECK_MS);
    this.check.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.check);
    await this.connection.close();
  }

  /** True once for a question that was cancelled before it was read. */
  hasCancelled(id: string): boolean {
    return this.cancelled.delete(id);
  }

  private async subscribe(): Promise<void> {
    const { client } = this.connection;
    if (client === this.subscribed || !this.connection.isReady) return;
    this.subscribed = client;
    client.on('message', (_channel: string, id: string) => {
      if (this.onCancel(id)) return;
      this.cancelled.add(id);
      if (this.cancelled.size > REMEMBERED) this.cancelled.delete(this.cancelled.values().next().value!);
    });
    try {
      await this.connection.run((current) => current.subscribe(cancelChannel(this.service)));
    } catch (error) {
      this.subscribed = undefined;
      throw error;
    }
  }
}
