import type { RedisConnection } from '../redis-connection.js';

const READ_MS = 10_000;

/** Redis's clock, by this machine's monotonic one: deadlines count in it, so that the clocks of the machines do not matter. */
export class RedisClock {
  /** Redis's clock minus ours, in ms. */
  private offset = 0;
  private readAt = -Infinity;

  constructor(private readonly connection: RedisConnection) {}

  /** ms since the epoch, as Redis counts. */
  now(): number {
    return this.offset + performance.now();
  }

  /** Asks, unless that was done a moment ago. @throws RedisUnavailableError */
  async keepSet(): Promise<void> {
    if (performance.now() - this.readAt < READ_MS) return;
    const before = performance.now();
    const [seconds, micros] = (await this.connection.run((client) => client.time())) as unknown as [string, string];
    const after = performance.now();
    this.offset = Number(seconds) * 1_000 + Number(micros) / 1_000 - (before + after) / 2;
    this.readAt = after;
  }
}
