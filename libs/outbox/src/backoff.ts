import { setTimeout as delay } from 'node:timers/promises';

const FIRST_MS = 50;
const LONGEST_MS = 5_000;

/** How long something that fails is left alone: from 50 ms, doubling, to 5 s, jittered. */
export class Backoff {
  /** What the last failure said; empty after a success. */
  reason = '';
  private failures = 0;
  private failingSince = 0;
  private notBefore = 0;

  succeeded(): void {
    this.failures = 0;
    this.reason = '';
    this.notBefore = 0;
  }

  /** @returns true for the first failure in a row, the one worth a line in the log. */
  failed(error: unknown, restMs = FIRST_MS * 2 ** Math.min(this.failures, 10)): boolean {
    const now = performance.now();
    this.reason = error instanceof Error ? error.message : String(error);
    this.notBefore = now + Math.min(restMs, LONGEST_MS) * (0.5 + Math.random() / 2);
    if (this.failures++ > 0) return false;
    this.failingSince = now;
    return true;
  }

  /** For how long it has been failing without a success in between; 0: it is not. */
  failingMs(): number {
    return this.failures === 0 ? 0 : Math.max(1, performance.now() - this.failingSince);
  }

  /** For how long to leave it alone yet. */
  restsMs(): number {
    return Math.max(0, this.notBefore - performance.now());
  }

  /** Waits that long; returns at once when `signal` aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    const restMs = this.restsMs();
    if (restMs > 0) await delay(restMs, undefined, { signal }).catch(() => undefined);
  }
}
