import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import Type from 'typebox';
import { defineRpc } from '#libs/contracts';
import { connectRedis, RpcClient, type RedisConnection } from '#libs/streams';

export const BARE_QUESTIONS = 'bench:questions';
export const BARE_REPLIES = 'bench:replies';

export const DOUBLE = defineRpc({
  method: 'reporting.double',
  service: 'reporting',
  input: Type.Object({ n: Type.Integer() }),
  output: Type.Object({ n: Type.Integer() }),
});

/** Of one way to ask. */
export interface AskingFigures {
  /** Median of lone calls, one after the other, in ms. */
  readonly aloneMs: number;
  readonly perSecond: number;
  /** Median in ms while many are under way. */
  readonly busyMs: number;
}

type Ask = (n: number) => Promise<unknown>;

/** Asks `count` questions, `atOnce` of them under way at any time. */
async function askMany(ask: Ask, count: number, atOnce: number): Promise<{ perSecond: number; medianMs: number }> {
  const times: number[] = [];
  let next = 0;
  const asker = async (): Promise<void> => {
    while (next < count) {
      const n = next++;
      const from = performance.now();
      await ask(n);
      times.push(performance.now() - from);
    }
  };
  const from = performance.now();
  await Promise.all(Array.from({ length: atOnce }, asker));
  const perSecond = (count / (performance.now() - from)) * 1_000;
  return { perSecond, medianMs: times.sort((a, b) => a - b)[count >> 1]! };
}

async function figures(ask: Ask, count: number, atOnce: number): Promise<AskingFigures> {
  const alone = await askMany(ask, Math.ceil(count / 20), 1);
  const busy = await askMany(ask, count, atOnce);
  return { aloneMs: alone.medianMs, perSecond: busy.perSecond, busyMs: busy.medianMs };
}

/**
 * Questions through the transport (Nest, contract, deadline, cancellation) and through bare XADD and XREAD of the same bytes, taking turns, to the
 * same process on the other side.
 */
export async function measureQuestions(
  url: string,
  rounds: number,
  count: number,
  atOnce: number,
  onRound: (round: number, ours: AskingFigures, bare: AskingFigures) => void,
): Promise<void> {
  const server = fork(fileURLToPath(new URL('question-server.js', import.meta.url)), [url]);
  await once(server, 'message');
  const rpc = new RpcClient({ url, name: 'bench' });
  await rpc.start();
  const bare = await barePingPong(url);
  try {
    for (let round = -1; round < rounds; round++) {
      const theirs = await figures(bare.ask, count, atOnce);
      const ours = await figures((n) => rpc.call(DOUBLE, { n }), count, atOnce);
      if (round >= 0) onRound(round, ours, theirs);
    }
  } finally {
    await bare.stop();
    await rpc.stop();
    server.disconnect();
  }
}

/** One XADD a question, one XREAD loop for the answers; nothing else. */
async function barePingPong(url: string): Promise<{ ask: Ask; stop(): Promise<void> }> {
  const writer: RedisConnection = connectRedis(url, { name: 'bench:bare', role: 'streams' });
  const reader = writer.sibling({ role: 'blocking' });
  await Promise.all([writer.ready(), reader.ready()]);
  const waiting = new Map<string, () => void>();
  let stopping = false;
  const loop = (async () => {
    for (let last = '$'; !stopping;) {
      const reply = await reader.client.xread('COUNT', 64, 'BLOCK', 200, 'STREAMS', BARE_REPLIES, last);
      for (const [id, fields] of reply?.[0]?.[1] ?? []) {
        last = id;
        waiting.get(fields[1]!)?.();
        waiting.delete(fields[1]!);
      }
    }
  })();
  let asked = 0;
  return {
    ask: () =>
      new Promise<void>((resolve, reject) => {
        const text = `question ${++asked} of about as many bytes as one of the transport has, so that both carry the same load over the wire`;
        waiting.set(text, resolve);
        writer.client.xadd(BARE_QUESTIONS, 'MAXLEN', '~', 1_000, '*', 'q', text).catch(reject);
      }),
    stop: async () => {
      stopping = true;
      await loop;
      await reader.close();
      await writer.close();
    },
  };
}
