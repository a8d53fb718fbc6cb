import { BaseRpcContext, Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { isObservable, lastValueFrom, type Observable } from 'rxjs';
import { problemsOf, type RpcDefinition } from '#libs/contracts';
import { connectRedis } from '../connect-redis.js';
import type { RedisConnection } from '../redis-connection.js';
import { silentLog, type StreamsLog } from '../observer.js';
import { RpcError } from './rpc-errors.js';
import type { Question, RpcServerObserver } from './question.js';
import { RpcListener } from './rpc-listener.js';
import { DEFINITION } from './rpc-method.js';
import { TaggedAnswer, UNCHANGED } from './tagged-answer.js';

export interface StreamsRpcServerOptions {
  readonly service: string;
  /** The Redis of role cache, the same as the callers'. */
  readonly url: string;
  /** What this service must answer; `listen` fails when a handler is missing. Default: whatever handlers there are. */
  readonly definitions?: readonly RpcDefinition[];
  /** Questions worked on at the same time. Default 64. */
  readonly concurrency?: number;
  /** Maps what handlers throw to what callers get; undefined: as it is (coded errors keep code and status, others become `internal`). */
  readonly errorOf?: (error: unknown) => RpcError | undefined;
  /** Runs a handler under its caller's correlation id and trace. */
  readonly around?: <T>(question: Question, work: () => Promise<T>) => Promise<T>;
  /** Checks the handlers' answers against the contract, too. For tests: it costs as much as reading the answer. */
  readonly checkOutputs?: boolean;
  readonly observer?: RpcServerObserver;
  readonly log?: StreamsLog;
}

/** What `@Ctx()` gives a handler. */
export class StreamsRpcContext extends BaseRpcContext<[Question]> {
  get method(): string {
    return this.args[0].method;
  }

  /** Aborts when nobody waits for the answer any more. */
  get signal(): AbortSignal {
    return this.args[0].signal;
  }

  get correlationId(): string | null {
    return this.args[0].correlationId;
  }

  /** Tag of the answer that the caller has (`TaggedAnswer`); null: none; undefined: it keeps no answer. */
  get known(): string | null | undefined {
    return this.args[0].known;
  }

  /** Milliseconds left. */
  remainingMs(): number {
    return this.args[0].remainingMs();
  }
}

/** Answers questions asked by RpcClient: the strategy of a Nest microservice whose controllers use `@RpcMethod`. It carries no events. */
export class StreamsRpcServer extends Server implements CustomTransportStrategy {
  /** For events, which this server refuses; but if it ever has one, its failure must not vanish. */
  override readonly propagatesEventHandlerErrors = true;
  private readonly connection: RedisConnection;
  private readonly listener: RpcListener;
  private readonly wiringProblems: string[] = [];
  private closed: Promise<void> | undefined;

  constructor(private readonly options: StreamsRpcServerOptions) {
    super();
    const log = options.log ?? silentLog;
    this.connection = connectRedis(options.url, { name: `${options.service}:rpc-server`, role: 'streams', log });
    this.listener = new RpcListener({
      service: options.service,
      connection: this.connection,
      concurrency: options.concurrency ?? 64,
      answer: (question) => this.answer(question),
      observer: options.observer ?? {},
      log,
    });
  }

  override addHandler(
    pattern: unknown,
    callback: MessageHandler,
    isEventHandler = false,
    extras: Record<string, unknown> = {},
  ): void {
    const route = this.normalizePattern(pattern as string);
    const definition = extras[DEFINITION] as RpcDefinition | undefined;
    if (isEventHandler) this.wiringProblems.push(`${route} is an @EventPattern: events come by @QueueHandler.`);
    else if (definition === undefined)
      this.wiringProblems.push(`${route} is a bare @MessagePattern: use @RpcMethod with its definition.`);
    else if (definition.service !== this.options.service)
      this.wiringProblems.push(`${route} belongs to ${definition.service}.`);
    else if (this.messageHandlers.has(route)) this.wiringProblems.push(`${route} has two handlers: keep one.`);
    super.addHandler(pattern, callback, isEventHandler, extras);
  }

  /** Calls back with an error when handlers do not fit the definitions or Redis is away. */
  listen(callback: (error?: unknown) => void): void {
    this.open().then(
      () => callback(),
      (error: unknown) => callback(error),
    );
  }

  /** Answers what it has, then closes. May be called more than once. */
  close(): Promise<void> {
    this.closed ??= this.listener.stop().then(() => this.connection.close());
    return this.closed;
  }

  health(): { readonly ok: boolean; readonly detail: string } {
    return this.listener.health();
  }

  on(): never {
    throw new Error('StreamsRpcServer has no events of its own; see health() and the observer.');
  }

  unwrap<T>(): T {
    return this.connection.client as T;
  }

  private async open(): Promise<void> {
    const missing = (this.options.definitions ?? [])
      .filter(({ method }) => !this.messageHandlers.has(method))
      .map(({ method }) => `${method} has no handler: add @RpcMethod(its definition) to a method of a controller.`);
    const problems = [...this.wiringProblems, ...missing];
    if (problems.length > 0) {
      await this.close();
      throw new Error(
        `${this.options.service} cannot answer questions:\n${problems.map((line) => `  - ${line}`).join('\n')}`,
      );
    }
    await this.listener.start();
  }

  private async answer(question: Question): Promise<unknown> {
    const handler = this.messageHandlers.get(question.method);
    if (handler === undefined)
      throw new RpcError('unknown_method', `${this.options.service} does not answer ${question.method}.`, 404);
    const definition = handler.extras![DEFINITION] as RpcDefinition;
    const problems = problemsOf(definition.input)(question.data);
    if (problems.length > 0) throw new RpcError('invalid_input', `${question.method}: ${problems.join('; ')}`, 400);
    try {
      const work = (): Promise<unknown> => settled(handler(question.data, new StreamsRpcContext([question])));
      const { around } = this.options;
      const output = await (around === undefined ? work() : around(question, work));
      if (this.options.checkOutputs) assertOutput(definition, output);
      return output;
    } catch (error) {
      throw this.options.errorOf?.(error) ?? error;
    }
  }
}

async function settled(result: Promise<Observable<unknown>> | Promise<unknown>): Promise<unknown> {
  const value = await result;
  return isObservable(value) ? lastValueFrom(value, { defaultValue: null }) : value;
}

/** @throws Error: the answer breaks its own contract. Checked as the caller will see it, after JSON. */
export function assertOutput(definition: RpcDefinition, answer: unknown): void {
  const output = answer instanceof TaggedAnswer ? answer.output : answer;
  if (output === UNCHANGED) return;
  const seen: unknown = JSON.parse(JSON.stringify(output ?? null));
  const problems = problemsOf(definition.output)(seen);
  if (problems.length > 0)
    throw new Error(`The answer to ${definition.method} breaks its contract: ${problems.join('; ')}`);
}
