import type { StreamsLog } from '../observer.js';
import type { AnswerSender } from './answer-sender.js';
import type { Question, RpcServerObserver } from './question.js';
import { type RpcUnavailableError, toWireError } from './rpc-errors.js';
import { writeAnswer, writeFailure, type WireQuestion } from './rpc-wire.js';

export interface QuestionsInWorkOptions {
  readonly concurrency: number;
  readonly answer: (question: Question) => Promise<unknown>;
  readonly sender: AnswerSender;
  /** Redis's clock, in ms. */
  readonly now: () => number;
  readonly observer: RpcServerObserver;
  readonly log: StreamsLog;
}

interface Waiting {
  readonly question: WireQuestion;
  /** In Redis's clock, ms. */
  readonly deadline: number;
}

/** Cancellations remembered for questions that are not in work yet. Beyond it the oldest are forgotten and worked on in vain. */
const REMEMBERED = 4_096;

/** Has questions answered side by side, `concurrency` at most; the others wait in the order of arrival, and those nobody waits for any more are dropped. */
export class QuestionsInWork {
  private readonly running = new Map<string, QuestionInWork>();
  private readonly queue: Waiting[] = [];
  private readonly cancelled = new Set<string>();
  private slotFree: (() => void) | undefined;

  constructor(private readonly options: QuestionsInWorkOptions) {}

  get size(): number {
    return this.running.size + this.queue.length;
  }

  /** How many more could be begun at once. */
  get free(): number {
    return this.options.concurrency - this.size;
  }

  /** Resolves when some question has ended. */
  async someEnd(): Promise<void> {
    await new Promise<void>((resolve) => (this.slotFree = resolve));
    this.slotFree = undefined;
  }

  /** Ends a wait for an end. */
  wake(): void {
    this.slotFree?.();
  }

  take(question: WireQuestion, deadline: number): void {
    if (this.running.size < this.options.concurrency && this.queue.length === 0) this.begin({ question, deadline });
    else this.queue.push({ question, deadline });
  }

  /** The caller of the question with `id` (`<reply key> <number>`) has given up. */
  cancel(id: string): void {
    const running = this.running.get(id);
    if (running !== undefined) {
      running.cancelled = true;
      running.abort(new Error('The caller has given up.'));
      return;
    }
    this.cancelled.add(id);
    if (this.cancelled.size > REMEMBERED) this.cancelled.delete(this.cancelled.values().next().value!);
  }

  /** Tells the callers of everything unanswered that they wait in vain. */
  abandon(reason: RpcUnavailableError): void {
    for (const { question } of [...this.running.values(), ...this.queue])
      this.options.sender.send(question.reply, question.n, writeFailure(toWireError(reason)));
    this.queue.length = 0;
    for (const running of this.running.values()) running.abort(reason);
  }

  private begin({ question, deadline }: Waiting): void {
    const { observer, now } = this.options;
    const id = `${question.reply} ${question.n}`;
    if (deadline <= now()) observer.dropped?.(question.method, 'expired');
    else if (this.cancelled.size > 0 && this.cancelled.delete(id)) observer.dropped?.(question.method, 'cancelled');
    else {
      const work = new QuestionInWork(question, deadline, now);
      this.running.set(id, work);
      void this.work(id, work);
    }
  }

  private async work(id: string, work: QuestionInWork): Promise<void> {
    const { question } = work;
    const from = performance.now();
    let outcome = 'ok';
    let json: string;
    try {
      json = writeAnswer(await this.options.answer(work));
    } catch (error) {
      const failure = toWireError(error);
      outcome = failure.code;
      json = writeFailure(failure);
      if (failure.code === 'internal') this.log(question, error);
    }
    work.end();
    this.running.delete(id);
    const { observer, sender } = this.options;
    observer.answered?.(question.method, work.cancelled ? 'cancelled' : outcome, (performance.now() - from) / 1_000);
    // Otherwise nobody waits for it any more.
    if (!work.cancelled && !work.aborted && work.remainingMs() > 0) sender.send(question.reply, question.n, json);
    while (this.queue.length > 0 && this.running.size < this.options.concurrency) this.begin(this.queue.shift()!);
    this.slotFree?.();
  }

  private log({ method, correlation, trace }: WireQuestion, error: unknown): void {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const ids = { correlation_id: correlation, ...(trace ? { trace_id: trace.slice(3, 35) } : {}) };
    this.options.log.error({ method, ...ids, error: detail }, 'An RPC handler failed');
  }
}

/** One question as its handler sees it. The signal is made when a handler asks for it: most never do, and it is a third of what a question costs. */
class QuestionInWork implements Question {
  readonly method: string;
  readonly data: unknown;
  readonly correlationId: string | null;
  readonly traceparent: string | null;
  readonly known: string | null | undefined;
  cancelled = false;
  private controller: AbortController | undefined;
  private reason: Error | undefined;
  private readonly timer: NodeJS.Timeout;

  constructor(
    readonly question: WireQuestion,
    private readonly deadline: number,
    private readonly now: () => number,
  ) {
    this.method = question.method;
    this.data = question.data;
    this.correlationId = question.correlation;
    this.traceparent = question.trace ?? null;
    this.known = question.known;
    // Whole milliseconds: Node keeps one list of timers for each duration.
    this.timer = setTimeout(() => this.abort(new Error('The deadline is over.')), Math.ceil(this.remainingMs()));
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.reason !== undefined) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  get aborted(): boolean {
    return this.reason !== undefined;
  }

  remainingMs(): number {
    return this.deadline - this.now();
  }

  abort(reason: Error): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    this.controller?.abort(reason);
  }

  end(): void {
    clearTimeout(this.timer);
  }
}
