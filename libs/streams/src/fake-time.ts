import type { ConsumerTime } from './consumer-settings.js';

interface Sleeper {
  readonly at: number;
  readonly order: number;
  readonly wake: () => void;
}

/**
 * Time that stands still until a test moves it, and chance that a seed decides: with an InMemoryBroker a whole run of
 * consumers, leases and back-offs takes milliseconds and is the same each time.
 */
export class FakeTime implements ConsumerTime {
  private current: number;
  private order = 0;
  private sleepers: Sleeper[] = [];
  private state: number;

  constructor(options: { readonly now?: number; readonly seed?: number } = {}) {
    this.current = options.now ?? Date.UTC(2026, 0, 1);
    this.state = (options.seed ?? 1) >>> 0;
  }

  now(): number {
    return this.current;
  }

  /** mulberry32: small, even enough for jitter and shuffling. */
  random(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const done = (): void => {
        this.sleepers = this.sleepers.filter((other) => other !== sleeper);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const sleeper: Sleeper = { at: this.current + Math.max(0, ms), order: this.order++, wake: done };
      this.sleepers.push(sleeper);
      signal?.addEventListener('abort', done);
    });
  }

  /** Moves time on by `ms`, waking each sleeper at its moment and letting what it started come to rest. */
  async advance(ms: number): Promise<void> {
    const end = this.current + ms;
    await settled();
    for (;;) {
      const next = this.earliest();
      if (next === undefined || next.at > end) break;
      this.current = Math.max(this.current, next.at);
      next.wake();
      await settled();
    }
    this.current = end;
  }

  private earliest(): Sleeper | undefined {
    let best: Sleeper | undefined;
    for (const sleeper of this.sleepers) {
      if (best === undefined || sleeper.at < best.at || (sleeper.at === best.at && sleeper.order < best.order)) {
        best = sleeper;
      }
    }
    return best;
  }
}

/** Lets pending promises run: whatever waits for nothing but promises is at rest after it. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
