import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Module, type INestMicroservice, type Type as Class } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { Redis } from 'ioredis';
import { firstValueFrom } from 'rxjs';
import Type from 'typebox';
import { defineRpc } from '#libs/contracts';
import { eventually, testRedis, type TestRedis } from '#libs/testing';
import { ownTime } from '../conformance/own-time.js';
import { connectRedis } from '../connect-redis.js';
import { silentLog } from '../observer.js';
import type { RpcCallOptions } from './rpc-caller.js';
import { RpcClient, type RpcClientOptions } from './rpc-client.js';
import { RpcCancelledError, RpcError, RpcTimeoutError, RpcUnavailableError } from './rpc-errors.js';
import { RpcListener } from './rpc-listener.js';
import { RpcMethod } from './rpc-method.js';
import { requestKey } from './rpc-wire.js';
import { StreamsClientProxy } from './streams-client-proxy.js';
import { StreamsRpcContext, StreamsRpcServer, type StreamsRpcServerOptions } from './streams-rpc-server.js';
import { TaggedAnswer, UNCHANGED } from './tagged-answer.js';

const define = (name: string) =>
  defineRpc({
    method: `reporting.${name}`,
    service: 'reporting',
    input: Type.Object({ n: Type.Integer() }),
    output: Type.Object({ n: Type.Integer() }),
  });
const double = define('double');
const fail = define('fail');
const hang = define('hang');
const lie = define('lie');
const nobody = define('nobody');
const tagged = define('tagged');

class TeapotError extends RpcError {
  constructor() {
    super('teapot', 'I am a teapot', 418);
  }
}

const seen = { hanging: 0, aborted: 0, contexts: [] as StreamsRpcContext[], held: Promise.resolve() };

@Controller()
class Answers {
  @RpcMethod(double)
  async double(@Payload() input: { n: number }, @Ctx() context: StreamsRpcContext): Promise<{ n: number }> {
    seen.contexts.push(context);
    await seen.held;
    return { n: input.n * 2 };
  }

  @RpcMethod(tagged)
  tagged(@Payload() { n }: { n: number }, @Ctx() { known }: StreamsRpcContext): { n: number } | TaggedAnswer {
    if (known === undefined) return { n };
    return new TaggedAnswer(`t${n}`, '2026-11-01T00:00:00Z', known === `t${n}` ? UNCHANGED : { n });
  }

  @RpcMethod(fail)
  async fail(@Payload() { n }: { n: number }): Promise<never> {
    if (n === 1) throw new TeapotError();
    if (n === 2) throw new RpcUnavailableError('the database is away');
    throw new TypeError('secret detail');
  }

  @RpcMethod(hang)
  async hang(@Payload() { n }: { n: number }, @Ctx() { signal }: StreamsRpcContext): Promise<{ n: number }> {
    seen.hanging++;
    if (!signal.aborted) await once(signal, 'abort');
    seen.hanging--;
    seen.aborted++;
    return { n };
  }

  @RpcMethod(lie)
  lie(): object {
    return { n: 'a lie' };
  }
}

@Controller()
class Careless {
  @MessagePattern('reporting.bare')
  bare(): void {}

  @EventPattern('reporting.happened')
  happened(_data: unknown): void {}
}

describe('RPC over streams', () => {
  let redis: TestRedis;
  let stops: (() => Promise<unknown>)[] = [];
  /** The one that `serve` has made last. */
  let server: StreamsRpcServer;

  beforeAll(async () => {
    redis = await testRedis({ args: ['--appendonly', 'no'] });
  });
  afterEach(async () => {
    for (const stop of stops.reverse()) await stop();
    stops = [];
    Object.assign(seen, { hanging: 0, aborted: 0, contexts: [], held: Promise.resolve() });
    const client = new Redis(redis.url);
    await client.flushall();
    await client.quit();
  });
  afterAll(() => redis.stop());

  const serve = async (
    options: Partial<StreamsRpcServerOptions> = {},
    controllers: Class[] = [Answers],
  ): Promise<INestMicroservice> => {
    class App {}
    Module({ controllers })(App);
    const strategy = (server = new StreamsRpcServer({ service: 'reporting', url: redis.url, ...options }));
    const app = await NestFactory.createMicroservice(App, { strategy, logger: false });
    stops.push(() => app.close());
    await app.listen();
    return app;
  };
  const client = async (options: Partial<RpcClientOptions> = {}): Promise<RpcClient> => {
    const made = new RpcClient({ url: redis.url, name: 'gateway', ...options });
    stops.push(() => made.stop());
    await made.start();
    return made;
  };

  it('answers many questions at once, each its own', async () => {
    await serve();
    const rpc = await client();
    const answers = await Promise.all(Array.from({ length: 2_000 }, (_, n) => rpc.call(double, { n })));
    expect(answers).toEqual(Array.from({ length: 2_000 }, (_, n) => ({ n: n * 2 })));
    expect(rpc.pending).toBe(0);
  });

  it('says until when a question that was asked may be shared: until it leaves', async () => {
    await serve();
    const rpc = await client();
    const { departure } = rpc;
    const asked = rpc.call(double, { n: 1 });
    expect(rpc.departure).toBe(departure);
    await asked;
    expect(rpc.departure).not.toBe(departure);
  });

  it('shares the questions among servers, and lets each caller read its own answers only', async () => {
    await serve();
    await serve();
    const [a, b] = await Promise.all([client(), client()]);
    const ask = (rpc: RpcClient, from: number) =>
      Promise.all(Array.from({ length: 300 }, (_, n) => rpc.call(double, { n: n + from })));
    const [left, right] = await Promise.all([ask(a, 0), ask(b, 1_000)]);
    expect(left.map(({ n }) => n)).toEqual(Array.from({ length: 300 }, (_, n) => n * 2));
    expect(right.map(({ n }) => n)).toEqual(Array.from({ length: 300 }, (_, n) => (n + 1_000) * 2));
  });

  it('tells who keeps an answer that it is still right, and gives the answer itself to whoever keeps none', async () => {
    await serve({ checkOutputs: true });
    const rpc = await client({ checkOutputs: true });
    const at = '2026-11-01T00:00:00Z';
    expect(await rpc.callAgain(tagged, { n: 1 }, null)).toMatchObject({ tag: 't1', at, output: { n: 1 } });
    expect(await rpc.callAgain(tagged, { n: 1 }, 't1')).toMatchObject({ tag: 't1', at, output: UNCHANGED });
    expect(await rpc.callAgain(tagged, { n: 2 }, 't1')).toMatchObject({ tag: 't2', at, output: { n: 2 } });
    expect(await rpc.call(tagged, { n: 2 })).toEqual({ n: 2 });
    // A server that knows nothing of tags.
    expect(await rpc.callAgain(double, { n: 2 }, 't1')).toMatchObject({ tag: null, at: null, output: { n: 4 } });
  });

  it('keeps the code, the status and the class of an error, and tells nothing of an unforeseen one', async () => {
    const lines: object[] = [];
    const log = { info: () => undefined, warn: () => undefined, error: (fields: object) => void lines.push(fields) };
    await serve({ log });
    const rpc = await client();
    const teapot = await rpc.call(fail, { n: 1 }).catch((error: unknown) => error);
    expect(teapot).toBeInstanceOf(RpcError);
    expect(teapot).toMatchObject({ code: 'teapot', status: 418, message: 'I am a teapot' });
    await expect(rpc.call(fail, { n: 2 })).rejects.toBeInstanceOf(RpcUnavailableError);
    const internal = await rpc.call(fail, { n: 3 }).catch((error: unknown) => error);
    expect(internal).toMatchObject({ code: 'internal', status: 500 });
    expect(String(internal)).not.toContain('secret');
    expect(JSON.stringify(lines)).toContain('TypeError: secret detail');
  });

  it('maps errors as the service says', async () => {
    await serve({ errorOf: (error) => (error instanceof TypeError ? new RpcUnavailableError('mapped') : undefined) });
    const rpc = await client();
    await expect(rpc.call(fail, { n: 3 })).rejects.toMatchObject({ code: 'unavailable', message: 'mapped' });
    await expect(rpc.call(fail, { n: 1 })).rejects.toMatchObject({ code: 'teapot' });
  });

  it('refuses an input that breaks the contract, a method nobody answers, and, when told, a wrong output', async () => {
    await serve();
    const rpc = await client({ checkOutputs: true });
    await expect(rpc.call(double, { n: 1.5 })).rejects.toMatchObject({
      code: 'invalid_input',
      status: 400,
      message: expect.stringContaining('/n'),
    });
    await expect(rpc.call(nobody, { n: 1 })).rejects.toMatchObject({ code: 'unknown_method', status: 404 });
    await expect(rpc.call(lie, { n: 1 })).rejects.toThrow('breaks its contract');
  });

  it('hands the handler what is left of the deadline and the caller’s correlation id', async () => {
    const correlations: string[] = [];
    await serve({ around: (question, work) => (correlations.push(question.correlationId ?? ''), work()) });
    const rpc = await client({ correlationId: () => 'corr-0001' });
    await rpc.call(double, { n: 1 }, { deadlineMs: 3_000 });
    expect(correlations).toEqual(['corr-0001']);
    const [context] = seen.contexts;
    expect(context!.correlationId).toBe('corr-0001');
    expect(context!.remainingMs()).toBeGreaterThan(2_000);
    expect(context!.remainingMs()).toBeLessThanOrEqual(3_000);
  });

  it('ends a call at its deadline on both sides', async () => {
    await serve();
    const rpc = await client();
    const took = ownTime();
    await expect(rpc.call(hang, { n: 1 }, { deadlineMs: 200 })).rejects.toBeInstanceOf(RpcTimeoutError);
    expect(took()).toBeLessThan(1_000);
    await eventually(() => seen.aborted === 1, { what: 'the handler to hear of the deadline' });
    expect(rpc.pending).toBe(0);
  });

  it('tells the server when the caller gives up', async () => {
    await serve();
    const rpc = await client();
    const abort = new AbortController();
    const call = rpc.call(hang, { n: 1 }, { deadlineMs: 20_000, signal: abort.signal });
    await eventually(() => seen.hanging === 1, { what: 'the handler to run' });
    abort.abort();
    await expect(call).rejects.toBeInstanceOf(RpcCancelledError);
    await eventually(() => seen.aborted === 1, { what: 'the handler to be cancelled' });
    await expect(rpc.call(double, { n: 1 }, { signal: abort.signal })).rejects.toBeInstanceOf(RpcCancelledError);
  });

  it('works on a bounded number at once and drops, unworked, what has expired by its turn', async () => {
    const dropped: string[] = [];
    await serve({ concurrency: 2, observer: { dropped: (_method, why) => void dropped.push(why) } });
    const rpc = await client();
    const enough = new AbortController();
    const ask = (n: number, options: RpcCallOptions) => rpc.call(hang, { n }, options).catch((error: unknown) => error);
    const working = [1, 2].map((n) => ask(n, { deadlineMs: 60_000, signal: enough.signal }));
    await eventually(() => seen.hanging === 2, { what: 'two to be worked on' });
    const waiting = [3, 4, 5, 6].map((n) => ask(n, { deadlineMs: 300 }));
    expect((await Promise.all(waiting)).every((error) => error instanceof RpcTimeoutError)).toBe(true);
    // For the server their time begins when they are in the stream: a little later.
    const answered = performance.now();
    await eventually(() => performance.now() - answered > 400, { what: 'the server to see it, too' });
    enough.abort();
    expect((await Promise.all(working)).every((error) => error instanceof RpcCancelledError)).toBe(true);
    await eventually(() => dropped.length === 4, { what: 'the four that waited to be dropped' });
    expect(dropped).toEqual(Array(4).fill('expired'));
    expect(seen.aborted).toBe(2);
    expect(await rpc.call(double, { n: 4 })).toEqual({ n: 8 });
  });

  it('fails at once while no server has ever been there', async () => {
    const rpc = await client();
    const took = ownTime();
    await expect(rpc.call(double, { n: 1 })).rejects.toBeInstanceOf(RpcUnavailableError);
    expect(took()).toBeLessThan(500);
  });

  it('answers again after Redis lost everything, and after it was killed and came back empty', async () => {
    await serve();
    const rpc = await client();
    const again = (what: string) =>
      eventually(async () => (await rpc.call(double, { n: 21 }, { deadlineMs: 500 })).n === 42, { what });
    const admin = new Redis(redis.url, { lazyConnect: true });
    await admin.connect();
    await admin.flushall();
    await again('an answer after FLUSHALL');
    await admin.quit();

    await redis.kill9();
    const took = ownTime();
    await expect(rpc.call(double, { n: 1 }, { deadlineMs: 1_000 })).rejects.toBeInstanceOf(RpcError);
    expect(took()).toBeLessThan(1_500);
    await redis.restart();
    await again('an answer after the restart');
    expect(rpc.pending).toBe(0);
  });

  it('notices within five seconds that Redis stands still, is red meanwhile, and answers again when it goes on', async () => {
    await serve();
    const rpc = await client();
    expect(await rpc.call(double, { n: 1 })).toEqual({ n: 2 });
    expect(server.health().ok).toBe(true);
    redis.pause();
    const asked = rpc.call(double, { n: 1 }, { deadlineMs: 500 }).catch((error: unknown) => error);
    expect(await asked).toBeInstanceOf(RpcTimeoutError);
    await eventually(() => !server.health().ok, { what: 'red health', timeoutMs: 5_000 });
    redis.resume();
    await eventually(
      async () => (await rpc.call(double, { n: 2 }, { deadlineMs: 500 })).n === 4 && server.health().ok,
      {
        what: 'an answer and green health',
      },
    );
  });

  it('answers what it has before it stops, and leaves no call open when the caller stops', async () => {
    const app = await serve();
    const rpc = await client();
    let goOn: () => void = () => undefined;
    seen.held = new Promise((resolve) => (goOn = resolve));
    const answered = Promise.all(Array.from({ length: 50 }, (_, n) => rpc.call(double, { n })));
    // What it has not taken yet is for other servers.
    await eventually(() => seen.contexts.length === 50, { what: 'all to be in its hands' });
    const closed = app.close();
    goOn();
    await closed;
    const outcomes = await Promise.allSettled([answered, rpc.call(hang, { n: 1 }, { deadlineMs: 300 })]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    const open = rpc.call(double, { n: 1 }).catch((error: unknown) => error);
    await rpc.stop();
    expect(await open).toBeInstanceOf(RpcUnavailableError);
  });

  it('tells a caller at once when the server it waits for stops impatiently', async () => {
    const connection = connectRedis(redis.url, { name: 'spec', role: 'streams' });
    const listener = new RpcListener({
      service: 'reporting',
      connection,
      concurrency: 4,
      answer: ({ signal }) => once(signal, 'abort'),
      observer: {},
      log: silentLog,
    });
    await listener.start();
    const rpc = await client();
    const call = rpc.call(hang, { n: 1 }, { deadlineMs: 20_000 }).catch((error: unknown) => error);
    await eventually(() => listener.health().detail.startsWith('1 question'));
    await listener.stop(50);
    expect(await call).toBeInstanceOf(RpcUnavailableError);
    await connection.close();
  });

  it('keeps the streams small: no questions that were taken, trimmed answers, a reply stream that expires', async () => {
    await serve();
    const rpc = await client();
    for (let round = 0; round < 3; round++)
      await Promise.all(Array.from({ length: 200 }, (_, n) => rpc.call(double, { n })));
    const admin = new Redis(redis.url);
    const [reply] = await admin.keys('pw:rpc:{reply.*');
    expect(await admin.pttl(reply!)).toBeGreaterThan(0);
    expect((await admin.xpending(requestKey('reporting'), 'servers'))[0]).toBe(0);
    await eventually(async () => (await admin.xlen(requestKey('reporting'))) === 0, {
      what: 'the questions that were taken to be gone',
    });
    await eventually(
      async () => {
        await rpc.call(double, { n: 1 });
        const length = await admin.xlen(reply!);
        if (length > 20) throw new Error(`${length} answers in the stream`);
        return true;
      },
      { what: 'the read answers to be trimmed' },
    );
    await rpc.stop();
    expect(await admin.exists(reply!)).toBe(0);
    await admin.quit();
  });

  it('does not come up with a missing, a bare or an event handler, and says what to write', async () => {
    await expect(serve({ definitions: [double, nobody] })).rejects.toThrow(
      /reporting\.nobody has no handler: add @RpcMethod/,
    );
    await expect(serve({}, [Careless])).rejects.toThrow(
      /reporting\.bare is a bare @MessagePattern[^]*reporting\.happened is an @EventPattern/,
    );
    await expect(serve({}, [Answers, class Again extends Answers {}])).rejects.toThrow('two handlers');
  });

  it('speaks through Nest’s ClientProxy too, cancels with the subscription, and refuses events', async () => {
    await serve();
    const proxy = new StreamsClientProxy({ url: redis.url, name: 'gateway' });
    stops.push(() => proxy.close());
    await proxy.connect();
    expect(await firstValueFrom(proxy.send(double.method, { n: 4 }))).toEqual({ n: 8 });
    await expect(firstValueFrom(proxy.send(fail.method, { n: 1 }))).rejects.toMatchObject({
      code: 'teapot',
      status: 418,
    });
    const subscription = proxy.send(hang.method, { n: 1 }).subscribe();
    await eventually(() => seen.hanging === 1);
    subscription.unsubscribe();
    await eventually(() => seen.aborted === 1, { what: 'the handler to be cancelled' });
    await expect(firstValueFrom(proxy.emit('reporting.happened', {}))).rejects.toThrow('outbox');
  });
});
