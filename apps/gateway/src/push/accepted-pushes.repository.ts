import type { RedisConnection } from '#libs/streams';

/** How long a push that ingest has not settled is still known as queued. */
const HOURS = 6;
const HOUR_MS = 3600_000;
const EXPIRE_EVERY_MS = 30_000;

/**
 * Remembers which push ids were accepted, so that their state is `queued` and not "no such push" until ingest has written the receipt.
 * One hash an hour in the cache, written with all pushes of one turn of the event loop in one command (docs/adr/0009).
 */
export class AcceptedPushes {
  private batch: string[] = [];
  /** The hash that has its time of expiry, and when we said so; said again now and then, for a cache that came back empty. */
  private expiring = '';
  private expiringSince = 0;
  private readonly write = (): void => {
    const fields = this.batch;
    this.batch = [];
    const key = hashOf(Date.now());
    const { client } = this.cache;
    // Lost with the cache: then the state is unknown until the receipt is there.
    client.hset(key, ...fields).catch(ignore);
    const now = performance.now();
    if (key !== this.expiring || now - this.expiringSince > EXPIRE_EVERY_MS) {
      this.expiring = key;
      this.expiringSince = now;
      client.expire(key, (HOURS + 1) * 3600).catch(ignore);
    }
  };

  constructor(private readonly cache: RedisConnection) {}

  /** Call it once the push is durable. */
  note(pushId: string, siteId: number): void {
    // After all continuations of this turn: the replies of many XADDs arrive in one read.
    if (this.batch.length === 0) process.nextTick(this.write);
    this.batch.push(pushId, String(siteId));
  }

  /** Whether the push was accepted from the site in the last hours. @throws RedisUnavailableError */
  async wasAccepted(pushId: string, siteId: number): Promise<boolean> {
    const now = Date.now();
    const found = await this.cache.run((client) =>
      Promise.all(Array.from({ length: HOURS }, (_, hour) => client.hget(hashOf(now - hour * HOUR_MS), pushId))),
    );
    return found.some((value) => value === String(siteId));
  }
}

function hashOf(time: number): string {
  return `pw:accepted-pushes:${Math.floor(time / HOUR_MS)}`;
}

function ignore(): void {
  // See `write`.
}
