import { describe, expect, it } from '@jest/globals';
import { listSites } from '#libs/contracts';
import type { RpcInput, Scope } from '#libs/contracts';
import { RpcTimeoutError, UNCHANGED, type RpcClient } from '#libs/streams';
import { Questions } from './questions.service.js';

const AT = '2026-11-01T00:00:00.000Z';
const LATER = '2026-11-01T00:00:20.000Z';

describe('what is asked again', () => {
  const input = (scope: Scope, page = 1): RpcInput<typeof listSites> => ({ scope, page, per_page: 25 });
  const total = ({ meta }: { meta: { total: number } }) => meta.total;

  /** An owner that answers with `total`, or with what it is told. */
  function owner() {
    const asked: { input: unknown; known: string | null }[] = [];
    const next = { tag: 't1' as string | null, total: 1, unchanged: false, fails: false, held: null as object | null };
    const client = {
      callAgain: (_definition: unknown, data: unknown, known: string | null) => {
        asked.push({ input: data, known });
        if (next.fails) return Promise.reject(new RpcTimeoutError('too late'));
        const output = next.unchanged ? UNCHANGED : { items: [], meta: { total: next.total, as_of: AT } };
        return Promise.resolve({ tag: next.tag, at: next.tag === null ? null : LATER, output, size: 100 });
      },
      // Each question leaves before the next one is asked, unless a test holds them.
      get departure() {
        return next.held ?? {};
      },
    } as unknown as RpcClient;
    return { asked, next, questions: new Questions(client) };
  }

  it('goes out each time, with the tag of the answer that is kept, and shows it only when its owner says that it is right', async () => {
    const { asked, next, questions } = owner();
    const ask = () => questions.askAgain(listSites, input({ organization_ids: [1] }), total);
    expect(await ask()).toEqual({ made: 1, at: LATER });
    next.unchanged = true;
    expect(await ask()).toEqual({ made: 1, at: LATER });
    Object.assign(next, { unchanged: false, tag: 't2', total: 2 });
    expect(await ask()).toEqual({ made: 2, at: LATER });
    next.fails = true;
    await expect(ask()).rejects.toMatchObject({ code: 'unavailable' });
    expect(asked.map(({ known }) => known)).toEqual([null, 't1', 't1', 't2']);
  });

  it('S54 is never answered with what was answered to another scope, or to another question', async () => {
    const { asked, next, questions } = owner();
    const scopes: Scope[] = [
      { organization_ids: null },
      { organization_ids: [1] },
      { organization_ids: [1, 2] },
      { organization_ids: [1], shared_site_ids: [2] },
      { organization_ids: [1], site_id: 2 },
    ];
    for (const [i, scope] of scopes.entries()) {
      next.tag = `t${i}`;
      next.total = i;
      await questions.askAgain(listSites, input(scope), total);
    }
    await questions.askAgain(listSites, input(scopes[0]!, 2), total);
    expect(asked.map(({ known }) => known)).toEqual(asked.map(() => null));
    next.unchanged = true;
    for (const [i, scope] of scopes.entries()) {
      expect((await questions.askAgain(listSites, input(scope), total)).made).toBe(i);
      expect(asked.at(-1)).toEqual({ input: input(scope), known: `t${i}` });
    }
  });

  it('goes out once for all who ask before it leaves, whatever comes of it, and anew for who comes later', async () => {
    const { asked, next, questions } = owner();
    const ask = (page = 1) => questions.askAgain(listSites, input({ organization_ids: [1] }, page), total);
    next.held = {};
    const early = [ask(), ask(), ask(2)];
    expect(asked).toHaveLength(2);
    next.held = {};
    next.total = 2;
    const late = ask();
    expect(asked).toHaveLength(3);
    expect((await Promise.all(early)).map(({ made }) => made)).toEqual([1, 1, 1]);
    expect((await late).made).toBe(2);
    next.held = {};
    next.fails = true;
    const failing = await Promise.allSettled([ask(), ask()]);
    expect(failing.map((each) => each.status === 'rejected' && each.reason.code)).toEqual([
      'unavailable',
      'unavailable',
    ]);
    expect(asked).toHaveLength(4);
  });

  it('is not kept when its owner gives no tag', async () => {
    const { asked, next, questions } = owner();
    next.tag = null;
    const ask = () => questions.askAgain(listSites, input({ organization_ids: [1] }), total);
    expect([await ask(), await ask()]).toEqual([
      { made: 1, at: null },
      { made: 1, at: null },
    ]);
    expect(asked.map(({ known }) => known)).toEqual([null, null]);
  });
});
