import { describe, expect, it } from '@jest/globals';
import { silentLog } from '../observer.js';
import type { AnswerSender } from './answer-sender.js';
import type { Question } from './question.js';
import { QuestionsInWork } from './questions-in-work.js';
import { RpcUnavailableError } from './rpc-errors.js';
import { readAnswer } from './rpc-wire.js';

/** Questions whose answers the test gives, on a clock of its own. */
function inWork(concurrency: number) {
  const begun: { question: Question; answer: (value: unknown) => void }[] = [];
  const sent: { number: number; outcome: unknown }[] = [];
  const dropped: string[] = [];
  const outcomes: string[] = [];
  const clock = { ms: 1_000 };
  const questions = new QuestionsInWork({
    concurrency,
    answer: (question) => new Promise((resolve) => begun.push({ question, answer: resolve })),
    sender: {
      send: (_reply: string, number: number, json: string) => void sent.push({ number, outcome: readAnswer(json) }),
    } as unknown as AnswerSender,
    now: () => clock.ms,
    observer: {
      answered: (_method, outcome) => void outcomes.push(outcome),
      dropped: (_method, why) => void dropped.push(why),
    },
    log: silentLog,
  });
  const take = (n: number, ms = 500): void =>
    questions.take({ n, method: 'test.ask', reply: 'caller', ms, correlation: null, data: n }, clock.ms + ms);
  return { questions, take, begun, sent, dropped, outcomes, clock };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Questions in work', () => {
  it('are answered side by side up to the limit, the others in the order of arrival', async () => {
    const { questions, take, begun, sent } = inWork(2);
    for (const n of [1, 2, 3, 4]) take(n);
    expect(begun.map(({ question }) => question.data)).toEqual([1, 2]);
    expect([questions.size, questions.free]).toEqual([4, -2]);
    begun[1]!.answer('two');
    await turn();
    expect(begun.map(({ question }) => question.data)).toEqual([1, 2, 3]);
    expect(sent).toEqual([{ number: 2, outcome: { value: 'two', tag: null, at: null, size: 12 } }]);
    for (const { answer } of begun) answer('done');
    await turn();
    begun[3]!.answer('four');
    await questions.someEnd();
    expect([questions.size, sent.length]).toEqual([0, 4]);
  });

  it('are dropped when their deadline is over or their caller has given up before their turn', async () => {
    const { questions, take, begun, sent, dropped, clock } = inWork(1);
    take(1, 10_000);
    take(2, 100);
    take(3, 10_000);
    take(4, 10_000);
    questions.cancel('caller 3');
    clock.ms += 200;
    begun[0]!.answer('one');
    await turn();
    expect(dropped).toEqual(['expired', 'cancelled']);
    expect(begun.map(({ question }) => question.data)).toEqual([1, 4]);
    expect(sent.map(({ number }) => number)).toEqual([1]);
    begun[1]!.answer('four');
    await turn();
  });

  it('make a signal only for a handler that asks, and tell it whenever it asks', async () => {
    const { questions, take, begun, sent, outcomes } = inWork(2);
    take(1);
    take(2);
    const early = begun[0]!.question.signal;
    questions.cancel('caller 1');
    questions.cancel('caller 2');
    expect([early.aborted, begun[1]!.question.signal.aborted]).toEqual([true, true]);
    for (const { answer } of begun) answer('in vain');
    await turn();
    expect(outcomes).toEqual(['cancelled', 'cancelled']);
    expect(sent).toEqual([]);
  });

  it('that are still open when the server stops are told so at once, those that wait too', async () => {
    const { questions, take, begun, sent } = inWork(1);
    take(1);
    take(2);
    questions.abandon(new RpcUnavailableError('stopping'));
    expect(sent.map(({ number, outcome }) => [number, (outcome as { error: Error }).error])).toEqual([
      [1, expect.any(RpcUnavailableError)],
      [2, expect.any(RpcUnavailableError)],
    ]);
    expect(begun[0]!.question.signal.aborted).toBe(true);
    begun[0]!.answer('late');
    await turn();
    expect([questions.size, sent.length]).toEqual([0, 2]);
  });
});
