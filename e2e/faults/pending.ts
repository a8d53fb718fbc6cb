import { setTimeout as delay } from 'node:timers/promises';
import { GROUP, PARKED, streamKey, WAITING } from '#libs/streams';
import type { Platform } from './platform/platform.js';

/** An entry that somebody has and nobody has settled. */
export interface PendingEntry {
  readonly id: string;
  readonly owner: string;
  /** Milliseconds. */
  readonly idle: number;
  readonly deliveries: number;
}

/** What is pending on a partitioned queue, at most a thousand entries a partition. */
export async function pendingOn(platform: Platform, queue: string): Promise<PendingEntry[]> {
  const found: PendingEntry[] = [];
  for (let partition = 0; partition < platform.partitions; partition++) {
    const rows = await platform.streams
      .xpending(streamKey(queue, partition), GROUP, '-', '+', 1_000)
      .catch((error: Error) => {
        if (/NOGROUP|no such key/i.test(error.message)) return [];
        throw error;
      });
    for (const [id, owner, idle, deliveries] of rows as [string, string, number, number][]) {
      found.push({ id, owner, idle: Number(idle), deliveries: Number(deliveries) });
    }
  }
  return found;
}

/** Looks at a queue again and again until stopped, and remembers the extremes. */
export class PendingWatch {
  mostDeliveries = 0;
  longestIdleMs = 0;
  looks = 0;
  /** Between two looks that saw something: what happened meanwhile was not seen. */
  longestGapMs = 0;
  private running = true;
  private readonly done: Promise<void>;

  constructor(platform: Platform, queue: string, everyMs = 200) {
    this.done = this.look(platform, queue, everyMs);
  }

  async stop(): Promise<void> {
    this.running = false;
    await this.done;
  }

  private async look(platform: Platform, queue: string, everyMs: number): Promise<void> {
    let looked = performance.now();
    while (this.running) {
      try {
        for (const { owner, idle, deliveries } of await pendingOn(platform, queue)) {
          this.mostDeliveries = Math.max(this.mostDeliveries, deliveries);
          // What was handed back waits for its next try and is nobody's.
          if (owner !== WAITING && owner !== PARKED) this.longestIdleMs = Math.max(this.longestIdleMs, idle);
        }
        this.looks++;
        const now = performance.now();
        this.longestGapMs = Math.max(this.longestGapMs, now - looked);
        looked = now;
      } catch {
        // Redis is away.
      }
      await delay(everyMs);
    }
  }
}
