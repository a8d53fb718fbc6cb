import type { RedisConnection } from '../redis-connection.js';
import { cancelChannel } from './rpc-wire.js';

const CHECK_MS = 1_000;

/** Hears which questions nobody waits for any more. Best effort: what it misses ends at its deadline. */
export class CancelSubscription {
  private readonly connection: RedisConnection;
  private subscribed: unknown;
  private check: NodeJS.Timeout | undefined;

  constructor(
    connection: RedisConnection,
    private readonly service: string,
    private readonly onCancel: (id: string) => void,
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

  private async subscribe(): Promise<void> {
    const { client } = this.connection;
    if (client === this.subscribed || !this.connection.isReady) return;
    this.subscribed = client;
    client.on('message', (_channel: string, id: string) => this.onCancel(id));
    try {
      await this.connection.run((current) => current.subscribe(cancelChannel(this.service)));
    } catch (error) {
      this.subscribed = undefined;
      throw error;
    }
  }
}
