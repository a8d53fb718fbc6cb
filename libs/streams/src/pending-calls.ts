import type { Redis } from 'ioredis';
import { DoubtfulPublishError } from './failures.js';
import type { RedisConnection } from './redis-connection.js';

/** The link on which a message was sent; given up when it has not answered by the deadline. */
export class SentOn {
  node: RedisConnection | null = null;
  client: Redis | null = null;
  answered = false;
}

/** One publish call that waits for its answers; of a call with one message, this is where that was sent. */
export class PendingCall extends SentOn {
  settled = false;
  /** Where the messages of a call with several were sent. */
  several: readonly SentOn[] | null = null;

  constructor(
    readonly deadline: number,
    readonly reject: (error: Error) => void,
  ) {
    super();
  }
}

/** Bounds the calls of a publisher: one timer looks at the oldest instead of one timer each, which would cost a tenth of the hot path. */
export class PendingCalls {
  /** In the order of their deadlines. */
  private calls: PendingCall[] = [];
  private timer: NodeJS.Timeout | null = null;
  private readonly waiters = new Set<() => void>();

  constructor(private readonly timeoutMs: number) {}

  begin(reject: (error: Error) => void): PendingCall {
    const call = new PendingCall(Date.now() + this.timeoutMs, reject);
    this.calls.push(call);
    this.timer ??= setInterval(() => this.sweep(), Math.min(250, this.timeoutMs / 4));
    return call;
  }

  /** Resolves when nothing is under way; each call is bounded. */
  async drained(): Promise<void> {
    while (this.calls.some((call) => !call.settled)) {
      await new Promise<void>((resolve) => {
        this.waiters.add(resolve);
      });
    }
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  /**
   * Drops what is settled, rejects what is late; a late call condemns the client it was sent on. The judgement waits for
   * the end of this turn of the event loop: when the whole process stood still, its answers are only about to be read.
   */
  private sweep(): void {
    const now = Date.now();
    if (this.calls.some((call) => !call.settled && call.deadline <= now)) setImmediate(() => this.expire(now));
    this.calls = this.calls.filter((call) => !call.settled);
    if (this.calls.length === 0) {
      clearInterval(this.timer!);
      this.timer = null;
    }
    for (const wake of this.waiters) wake();
    this.waiters.clear();
  }

  private expire(now: number): void {
    for (const call of this.calls) {
      if (call.deadline > now) break;
      if (call.settled) continue;
      call.settled = true;
      for (const { node, client, answered } of call.several ?? [call])
        if (!answered && node !== null && node.client === client) node.replace(`no reply in ${this.timeoutMs} ms`);
      call.reject(new DoubtfulPublishError(`Redis gave no durable answer in ${this.timeoutMs} ms.`));
    }
  }
}
