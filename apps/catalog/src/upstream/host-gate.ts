import type { Clock } from '#libs/runtime';
import type { Timers } from '../timers.js';
import { FetchFailure } from './fetch-failure.js';

export interface HostGateOptions {
  readonly concurrency: number;
  readonly ratePerSecond: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random?: () => number;
}

/** So many failures in a row that say the host is ailing stop everything that goes to it. */
const BREAK_AFTER = 5;
const FIRST_PAUSE_MS = 15_000;
const LONGEST_PAUSE_MS = 15 * 60_000;
const LONGEST_RETRY_AFTER_MS = 24 * 3_600_000;

/**
 * Everything that goes to one host passes here: so many at once, so many a second, and nothing while the host has asked to be left alone
 * or is broken. After a pause one request tries; the rest follow when it succeeds.
 */
export class HostGate {
  private active = 0;
  private nextStart = 0;
  private failures = 0;
  private pausedUntil = 0;
  private probing = false;
  private readonly waiting: (() => void)[] = [];
  private pacing = 0;

  constructor(private readonly options: HostGateOptions) {}

  /** Milliseconds until the host may be asked again; 0: now. */
  pausedForMs(): number {
    return Math.max(0, this.pausedUntil - this.options.clock.now().getTime());
  }

  /** Requests that wait for their turn. */
  get held(): number {
    return this.waiting.length + this.pacing;
  }

  /** @throws FetchFailure `host_paused` without a request, or what `request` threw. */
  async pass<T>(request: () => Promise<T>): Promise<T> {
    await this.enter();
    const broken = this.failures >= BREAK_AFTER;
    const probe = broken && !this.probing && this.pausedForMs() === 0;
    try {
      if (this.pausedForMs() > 0 || (broken && !probe)) {
        throw new FetchFailure('host_paused', 'the host is left alone for now', { retryAfterMs: this.pausedForMs() });
      }
      if (probe) this.probing = true;
      await this.keepRate();
      const answer = await request();
      this.failures = 0;
      return answer;
    } catch (error) {
      if (error instanceof FetchFailure && error.code !== 'host_paused') this.note(error);
      throw error;
    } finally {
      if (probe) this.probing = false;
      this.active -= 1;
      this.waiting.shift()?.();
    }
  }

  private async enter(): Promise<void> {
    while (this.active >= this.options.concurrency) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.active += 1;
  }

  /** Spaces the starts evenly; no bursts, since a burst is what other people's servers notice. */
  private async keepRate(): Promise<void> {
    const now = this.options.timers.monotonic();
    const start = Math.max(now, this.nextStart);
    this.nextStart = start + 1000 / this.options.ratePerSecond;
    if (start - now < 1) return;
    this.pacing += 1;
    await this.options.timers.sleep(start - now);
    this.pacing -= 1;
  }

  private note(failure: FetchFailure): void {
    const now = this.options.clock.now().getTime();
    const retryAfter = Math.min(failure.details.retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS);
    if (retryAfter > 0) this.pausedUntil = Math.max(this.pausedUntil, now + retryAfter);
    if (!failure.hostIsAiling) {
      // It answered: it is well.
      this.failures = 0;
      return;
    }
    this.failures += 1;
    if (this.failures < BREAK_AFTER) return;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.failures - BREAK_AFTER));
    this.pausedUntil = Math.max(this.pausedUntil, now + pause * (0.75 + (this.options.random ?? Math.random)() / 2));
  }
}
