import type { Redis } from 'ioredis';
import { DoubtfulPublishError } from './failures.js';

/** Patience after a WAIT that failed: the link must not stand still for every message while replicas are away. */
const IMPATIENT_MS = 50;

/**
 * Waits until replicas have what a link has written. WAIT covers everything written before it on the same link and stops the link until it is
 * answered, so the writes of one turn of the event loop share one WAIT at the turn's end.
 */
export class ReplicaBarrier {
  private readonly waves = new Map<Redis, Promise<void>>();
  private failing = false;

  /** @param patienceMs how long a publish may take in all: a WAIT takes half of it at most, so that its "no" comes before the link is given up */
  constructor(
    private readonly replicas: number,
    private readonly patienceMs: number,
  ) {}

  /**
   * Resolves when the replicas have what `client` has sent up to the end of this turn.
   * @throws DoubtfulPublishError: too few have it yet, the link broke.
   */
  after(client: Redis): Promise<void> {
    let wave = this.waves.get(client);
    if (wave === undefined) {
      wave = new Promise((resolve, reject) => {
        setImmediate(() => {
          this.waves.delete(client);
          this.wait(client).then(resolve, reject);
        });
      });
      // Whoever waits for it gets the failure; a write that failed itself does not wait.
      wave.catch(() => undefined);
      this.waves.set(client, wave);
    }
    return wave;
  }

  private async wait(client: Redis): Promise<void> {
    const reached = await client.wait(this.replicas, this.failing ? IMPATIENT_MS : this.patienceMs / 2);
    this.failing = reached < this.replicas;
    if (this.failing) throw new DoubtfulPublishError(`Only ${reached} of ${this.replicas} replicas have the message.`);
  }
}
