import type { RedisConnection } from '#libs/streams';

type Answers = Promise<readonly (string | null)[] | null>;

/** What ingest knows about sites' inventories, as far as it says so in the cache. All look-ups of one turn of the event loop are one command. */
export class KnownInventories {
  private keys: string[] = [];
  private answers: Answers = Promise.resolve(null);

  constructor(private readonly cache: RedisConnection) {}

  /** Whether `hash` names the site's current inventory. null: the cache is away, and nobody knows. */
  async isKnown(siteUuid: string, hash: string): Promise<boolean | null> {
    if (this.keys.length === 0) this.answers = this.nextTurn();
    const index = this.keys.push(`pw:known-inventory:${siteUuid}`) - 1;
    const answers = await this.answers;
    return answers === null ? null : answers[index] === hash;
  }

  private nextTurn(): Answers {
    return new Promise((resolve) => {
      // After all continuations of this turn: one read of a socket may bring several heartbeats.
      setImmediate(() => {
        const keys = this.keys;
        this.keys = [];
        // Not through `run`: the client's own time-out bounds it, and a timer less counts on this path.
        this.cache.client.mget(keys).then(resolve, () => {
          // Ingest knows the truth and says so in the receipt. To ask every site for everything now would make bad worse.
          resolve(null);
        });
      });
    });
  }
}
