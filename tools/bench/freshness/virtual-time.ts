import type { Clock } from '#libs/runtime';
import type { Timers } from '../../../apps/catalog/src/timers.js';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** Waits in virtual time and says how many of them stand. */
export interface VirtualTimers extends Timers {
  readonly sleeping: number;
}

/** A clock whose hours pass as fast as the work in them can be done: it stands still while something works and jumps to the next wait's end. */
export class VirtualTime implements Clock {
  private current: number;
  private readonly sleepers = new Set<Sleeper>();

  constructor(start: string) {
    this.current = Date.parse(start);
  }

  now(): Date {
    return new Date(this.current);
  }

  /** When the next wait ends, in milliseconds; Infinity: nobody waits. */
  nextWake(): number {
    return Math.min(Infinity, ...[...this.sleepers].map(({ at }) => at));
  }

  /** Lets it be `at` and ends the waits that are over by then. */
  advanceTo(at: number): void {
    this.current = Math.max(this.current, at);
    for (const sleeper of [...this.sleepers]) if (sleeper.at <= this.current) sleeper.wake();
  }

  /** Lets time pass until the next wait ends, or for a minute when that comes first: also while nobody waits, it does not end. */
  passOn(): void {
    this.advanceTo(Math.min(this.nextWake(), this.current + 60_000));
  }

  timers(): VirtualTimers {
    let sleeping = 0;
    return {
      get sleeping() {
        return sleeping;
      },
      monotonic: () => this.current,
      sleep: (ms, signal) =>
        new Promise<void>((resolve) => {
          if (signal?.aborted) return resolve();
          sleeping += 1;
          const wake = (): void => {
            if (!this.sleepers.delete(sleeper)) return;
            sleeping -= 1;
            signal?.removeEventListener('abort', wake);
            resolve();
          };
          // Whole milliseconds, upwards: a wait that ends at its beginning would stand still for ever.
          const sleeper: Sleeper = { at: this.current + Math.max(1, Math.ceil(ms)), wake };
          this.sleepers.add(sleeper);
          signal?.addEventListener('abort', wake);
        }),
    };
  }
}
