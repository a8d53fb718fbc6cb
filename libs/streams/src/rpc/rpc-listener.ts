import { setTimeout as delay } from 'node:timers/promises';
import type { RedisConnection } from '../redis-connection.js';
import type { StreamsLog } from '../observer.js';
import { AnswerSender } from './answer-sender.js';
import { CancelSubscription } from './cancel-subscription.js';
import type { Question, RpcServerObserver } from './question.js';
import { QuestionsInWork } from './questions-in-work.js';
import { RedisClock } from './redis-clock.js';
import { entriesOf } from './reply-reader.js';
import { RpcUnavailableError } from './rpc-errors.js';
import { MOST_TOGETHER, QUESTION, readQuestion, requestKey, SERVERS, takenAt } from './rpc-wire.js';

const BLOCK_MS = 2_000;
const GRACE_MS = 2_000;
/** Questions that were taken leave the stream together: each removal is a write, and may wait for the disk. */
const TAKE_OFF_MS = 50;
/** Longest silence of Redis before health turns red: half-open links are noticed within it. */
const RED_AFTER_MS = 5_000;

export interface RpcListenerOptions {
  readonly service: string;
  /** Of role streams; the listener opens siblings for what blocks and closes those only. */
  readonly connection: RedisConnection;
  /** Questions worked on at the same time; more wait in the stream, where another server can take them. */
  readonly concurrency: number;
  /** The answer; what it throws crosses as its code. */
  readonly answer: (question: Question) => Promise<unknown>;
  readonly observer: RpcServerObserver;
  readonly log: StreamsLog;
}

/** Reads a service's questions, has them answered side by side, and sends the answers back in batches. */
export class RpcListener {
  private readonly reader: RedisConnection;
  private readonly cancels: CancelSubscription;
  private readonly clock: RedisClock;
  private readonly sender: AnswerSender;
  private readonly questions: QuestionsInWork;
  private readonly key: string;
  private readerId: number | null = null;
  private stopping = false;
  private loop: Promise<void> | undefined;
  private lastRead = performance.now();
  private taken: string[] = [];
  private takeOffTimer: NodeJS.Timeout | undefined;
  /** Why the last read failed; null: it did not. */
  private trouble: string | null = null;

  constructor(private readonly options: RpcListenerOptions) {
    const { connection, service, log } = options;
    this.key = requestKey(service);
    this.reader = connection.sibling({ name: `${connection.name}-questions`, role: 'blocking' });
    this.clock = new RedisClock(connection);
    this.sender = new AnswerSender(connection, log);
    this.questions = new QuestionsInWork({ ...options, sender: this.sender, now: () => this.clock.now() });
    this.cancels = new CancelSubscription(connection, service, (id) => this.questions.cancel(id));
  }

  /** @throws RedisUnavailableError when Redis is away: a server that nobody can reach should not look started. */
  async start(): Promise<void> {
    await Promise.all([this.options.connection.ready(), this.reader.ready()]);
    await this.createGroup();
    await this.clock.keepSet();
    await this.cancels.start();
    this.loop = this.read();
  }

  /** Takes no more questions, answers those it has within `withinMs`, aborts the rest. */
  async stop(withinMs = 5_000): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    await this.endReading();
    await this.cancels.stop();
    const end = performance.now() + withinMs;
    while (this.questions.size > 0 && performance.now() < end) await delay(10);
    this.questions.abandon(new RpcUnavailableError(`${this.options.service} is stopping.`));
    await this.sender.flush();
    await this.takeOffNow();
  }

  /** Red when Redis did not answer the last read, or none for long. */
  health(): { readonly ok: boolean; readonly detail: string } {
    const silentMs = performance.now() - this.lastRead;
    const ok = this.loop !== undefined && !this.stopping && this.trouble === null && silentMs < RED_AFTER_MS;
    return {
      ok,
      detail: ok
        ? `${this.questions.size} questions in work`
        : (this.trouble ?? `no answer from Redis for ${Math.round(silentMs)} ms`),
    };
  }

  /** Wakes the blocked read instead of cutting it: a question that Redis hands out at this moment would be lost. */
  private async endReading(): Promise<void> {
    let ended = this.loop === undefined;
    const loop = this.loop?.finally(() => (ended = true));
    while (!ended) {
      this.questions.wake();
      const id = this.readerId;
      // It may not have been blocked yet: again until it has ended, which it does by itself after its BLOCK time at the latest.
      if (id !== null)
        await this.options.connection.run((client) => client.client('UNBLOCK', id), 500).catch(() => undefined);
      await Promise.race([loop, delay(20)]);
    }
    await this.reader.close();
  }

  private async read(): Promise<void> {
    while (!this.stopping) {
      const { free } = this.questions;
      if (free <= 0) {
        await this.questions.someEnd();
        this.lastRead = performance.now();
        continue;
      }
      try {
        await this.clock.keepSet();
        this.readerId ??= Number(await this.reader.run((client) => client.client('ID')));
        // What does not fit waits in the stream, where another server can take it.
        const count = Math.max(1, Math.floor(free / MOST_TOGETHER));
        const reply = (await this.reader.run(
          (client) =>
            client.xreadgroup(
              'GROUP',
              SERVERS,
              'server',
              'COUNT',
              count,
              'BLOCK',
              BLOCK_MS,
              'NOACK',
              'STREAMS',
              this.key,
              '>',
            ),
          BLOCK_MS + GRACE_MS,
        )) as unknown;
        this.lastRead = performance.now();
        this.trouble = null;
        const entries = entriesOf(reply);
        this.takeOff(entries.map(([id]) => id));
        for (const [id, fields] of entries) this.take(id, fields);
      } catch (error) {
        this.readerId = null;
        if (!this.stopping) await this.recover(error);
      }
    }
  }

  /** A stream that is gone is made again at once: as long as it is missing, callers are told that no server is there. */
  private async recover(error: unknown): Promise<void> {
    if (!(error instanceof Error && /NOGROUP|UNBLOCKED/.test(error.message))) {
      this.trouble = String(error);
      this.options.log.warn(
        { service: this.options.service, error: String(error) },
        'Reading RPC questions failed; trying again',
      );
      await delay(50);
      await this.reader.ready(1_000).catch(() => undefined);
    }
    await this.createGroup().catch(() => undefined);
  }

  private async createGroup(): Promise<void> {
    try {
      // From the beginning: what waited too long is dropped by its deadline.
      await this.options.connection.run((client) => client.xgroup('CREATE', this.key, SERVERS, '0', 'MKSTREAM'));
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error;
    }
  }

  /** They are ours alone now. What Redis does not hear of is trimmed by those who ask. */
  private takeOff(ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.taken.push(...ids);
    this.takeOffTimer ??= setTimeout(() => void this.takeOffNow(), TAKE_OFF_MS);
  }

  private async takeOffNow(): Promise<void> {
    clearTimeout(this.takeOffTimer);
    this.takeOffTimer = undefined;
    const ids = this.taken.splice(0);
    if (ids.length === 0) return;
    await this.options.connection.run((client) => client.xdel(this.key, ...ids)).catch(() => undefined);
  }

  /** One entry: the questions that one caller asked in one turn of its event loop. */
  private take(entryId: string, fields: readonly string[]): void {
    const takenMs = takenAt(entryId);
    for (let i = 0; i + 1 < fields.length; i += 2) {
      if (fields[i] !== QUESTION) continue;
      try {
        const question = readQuestion(fields[i + 1]!);
        this.questions.take(question, takenMs + question.ms);
      } catch (error) {
        const { service, log } = this.options;
        log.error({ service, entryId, error: String(error) }, 'An RPC question could not be read');
      }
    }
  }
}
