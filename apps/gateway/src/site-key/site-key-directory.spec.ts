import { jest } from '@jest/globals';
import { pino } from 'pino';
import { SiteStanding } from '../quarantine/site-standing.js';
import { newKey } from './site-key.js';
import { SiteKeyDirectory } from './site-key-directory.service.js';
import type { SiteKeyRepository, SiteKeyRow } from './site-key.repository.js';

/** Keys in memory; a look-up answers when the test says so. */
function slowKeys(isUnused = false) {
  const asked: { publicIds: readonly string[]; answer: () => void }[] = [];
  const touched: number[][] = [];
  const keys = Array.from({ length: 6 }, () => newKey('site'));
  const rows: SiteKeyRow[] = keys.map((key, i) => ({
    id: i,
    publicId: key.publicId,
    secretHash: key.secretHash,
    siteId: i,
    siteUuid: `site-${i}`,
    organizationId: 1,
    expiresAt: null,
    isHistory: false,
    isUnused,
    standing: new SiteStanding({ url: 'https://shop.example', environment: 'prod', quarantineReason: null }),
    pushesPerMinute: 600,
    requestsPerMinute: 6000,
  }));
  const repository = {
    findLive: (publicIds: readonly string[]) =>
      new Promise<SiteKeyRow[]>((resolve) => {
        const answer = (): void => {
          resolve(rows.filter(({ publicId }) => publicIds.includes(publicId)));
        };
        asked.push({ publicIds, answer });
      }),
    touch: async (ids: readonly number[]) => {
      touched.push([...ids]);
    },
  } as unknown as SiteKeyRepository;
  const directory = new SiteKeyDirectory(repository, { now: () => new Date() }, pino({ enabled: false }));
  return { directory, asked, touched, texts: keys.map(({ text }) => text), rows };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await turn();
};

describe('look-ups of site keys', () => {
  it('that come while one is under way leave together when it is back', async () => {
    const { directory, asked, texts, rows } = slowKeys();
    const first = directory.find(texts[0]!);
    await turns();
    const others = texts.slice(1).map((text) => directory.find(text));
    expect(asked.map(({ publicIds }) => publicIds)).toEqual([[rows[0]!.publicId]]);
    asked[0]!.answer();
    await expect(first).resolves.toMatchObject({ siteUuid: 'site-0' });
    await turns();
    expect(asked[1]!.publicIds).toEqual(rows.slice(1).map(({ publicId }) => publicId));
    expect(asked).toHaveLength(2);
    asked[1]!.answer();
    await expect(Promise.all(others)).resolves.toEqual(rows.slice(1));
  });

  it('do not wait for ever behind one that hangs', async () => {
    const { directory, asked, texts } = slowKeys();
    void directory.find(texts[0]!);
    await turns();
    const second = directory.find(texts[1]!);
    while (asked.length < 2) await turn();
    asked[1]!.answer();
    await expect(second).resolves.toMatchObject({ siteUuid: 'site-1' });
  });
});

describe('the use of site keys', () => {
  /** A key that was looked up and let somebody in. */
  async function used({ directory, asked, texts }: ReturnType<typeof slowKeys>, which: number): Promise<void> {
    const found = directory.find(texts[which]!);
    await turns();
    asked.at(-1)!.answer();
    await expect(found).resolves.toMatchObject({ siteUuid: `site-${which}` });
  }

  it('is noted the first time before anybody is let in, also shortly after others', async () => {
    const keys = slowKeys(true);
    await used(keys, 0);
    await used(keys, 1);
    expect(keys.touched.flat()).toEqual(expect.arrayContaining([0, 1]));
    // It is no first time any more.
    expect(keys.directory.peek(keys.texts[1]!)).toMatchObject({ siteUuid: 'site-1' });
    await keys.directory.onApplicationShutdown();
  });

  it('is noted within a minute, also when nobody comes after', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick'] });
    try {
      const keys = slowKeys();
      await used(keys, 0);
      await jest.advanceTimersByTimeAsync(50);
      expect(keys.touched).toEqual([[0]]);
      await used(keys, 1);
      await jest.advanceTimersByTimeAsync(50);
      expect(keys.touched).toEqual([[0]]);
      await jest.advanceTimersByTimeAsync(60_000);
      expect(keys.touched).toEqual([[0], [1]]);
    } finally {
      jest.useRealTimers();
    }
  });
});
