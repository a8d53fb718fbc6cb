import type { HandBack, StreamEntry, StreamLane } from './broker.js';
import type { ConsumerSettings, ConsumerTime } from './consumer-settings.js';
import type { StreamsLog } from './observer.js';

export interface HeldEntriesOptions {
  readonly lane: StreamLane;
  readonly settings: ConsumerSettings;
  readonly time: ConsumerTime;
  readonly log: StreamsLog;
}

/**
 * What one loop has in its hands: from the moment an entry was read until Redis confirmed that it is settled or handed
 * back. It renews the leases meanwhile, and it never forgets: an acknowledgement whose answer got lost is repeated
 * until Redis answers, because the entry behind it is committed and must not be delivered again.
 */
export class HeldEntries {
  private readonly ids = new Set<string>();
  /** Committed, the acknowledgement not yet confirmed. */
  private readonly unsettled = new Set<string>();
  /** To be handed back, not yet confirmed. */
  private readonly owed = new Map<string, HandBack>();
  private inFlight: Promise<void> = Promise.resolve();
  private readonly ended = new AbortController();

  constructor(private readonly options: HeldEntriesOptions) {}

  get all(): ReadonlySet<string> {
    return this.ids;
  }

  take(entries: readonly StreamEntry[]): void {
    for (const entry of entries) this.ids.add(entry.id);
  }

  /** False once it was settled, handed back, or lost to another consumer. */
  has(id: string): boolean {
    return this.ids.has(id) && !this.unsettled.has(id) && !this.owed.has(id);
  }

  /** Acknowledges what was committed. Returns at once; the next call waits for this one, so at most one is under way. */
  async settle(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.unsettled.add(id);
    await this.inFlight;
    this.inFlight = this.sendSettled();
  }

  /** Gives entries back; waits for Redis, but a failure only postpones it. */
  async handBack(entries: readonly HandBack[]): Promise<void> {
    for (const entry of entries) if (this.has(entry.id)) this.owed.set(entry.id, entry);
    await this.inFlight;
    this.inFlight = this.sendOwed();
    await this.inFlight;
  }

  /** Repeats what Redis has not confirmed yet. Returns whether nothing is left. */
  async flush(): Promise<boolean> {
    await this.inFlight;
    this.inFlight = this.sendSettled().then(() => this.sendOwed());
    await this.inFlight;
    return this.unsettled.size === 0 && this.owed.size === 0;
  }

  /** Restarts the leases at a third of their time, until `end`. */
  async keepRenewing(): Promise<void> {
    const { lane, settings, time, log } = this.options;
    while (!this.ended.signal.aborted) {
      await time.sleep(settings.leaseMs / 3, this.ended.signal);
      const asked = [...this.ids].filter((id) => this.has(id));
      if (this.ended.signal.aborted || asked.length === 0) continue;
      try {
        const mine = new Set(await lane.renew(asked));
        const lost = asked.filter((id) => !mine.has(id) && this.has(id));
        for (const id of lost) this.ids.delete(id);
        if (lost.length > 0)
          log.warn({ queue: lane.queue, entries: lost }, 'entries were taken over by another consumer');
      } catch (error) {
        log.warn({ queue: lane.queue, error }, 'leases could not be renewed');
      }
    }
  }

  end(): void {
    this.ended.abort();
  }

  private async sendSettled(): Promise<void> {
    const ids = [...this.unsettled];
    if (ids.length === 0) return;
    try {
      await this.options.lane.settle(ids);
      for (const id of ids) this.release(id);
    } catch (error) {
      this.options.log.warn(
        { queue: this.options.lane.queue, count: ids.length, error },
        'acknowledgement will be repeated',
      );
    }
  }

  private async sendOwed(): Promise<void> {
    const entries = [...this.owed.values()];
    if (entries.length === 0) return;
    try {
      await this.options.lane.handBack(entries);
      for (const entry of entries) this.release(entry.id);
    } catch (error) {
      this.options.log.warn(
        { queue: this.options.lane.queue, count: entries.length, error },
        'hand-back will be repeated',
      );
    }
  }

  private release(id: string): void {
    this.unsettled.delete(id);
    this.owed.delete(id);
    this.ids.delete(id);
  }
}
