import { describe, expect, it } from '@jest/globals';
import type { AdvisoryFacts } from './advisory-facts.js';
import type { AdvisoryPage, ReadPagesService } from './read-pages.service.js';
import { WalkAdvisoriesService, type FeedKnowledge } from './walk-advisories.service.js';

const advisory = (number: number): AdvisoryFacts =>
  ({
    advisory: `SA-CONTRIB-2026-${number}`,
    published_at: new Date(Date.UTC(2026, 0, number)).toISOString(),
  }) as AdvisoryFacts;
const page = (...numbers: number[]): AdvisoryPage => ({
  advisories: numbers.map(advisory),
  unreadable: [],
  entries: numbers.length,
  validators: { etag: '"1"', lastModified: null },
});
const EVERYTHING: FeedKnowledge = { validators: null, whole: true, downTo: Infinity, isKnown: () => false };
const NEWS: FeedKnowledge = { ...EVERYTHING, whole: false };

function over(pages: (number: number) => AdvisoryPage | null) {
  const asked: number[] = [];
  const reader = {
    read: (number: number) => {
      asked.push(number);
      return Promise.resolve(pages(number));
    },
  };
  return { walk: new WalkAdvisoriesService(reader as unknown as ReadPagesService), asked };
}
const threePages = (number: number) => [page(9, 8, 7), page(6, 5, 4), page(3, 2, 1)][number] ?? page();

describe('a walk over the advisory feed', () => {
  it('goes to the end when nothing may be taken for known', async () => {
    const { walk, asked } = over(threePages);
    expect(await walk.walk(EVERYTHING)).toMatchObject({ whole: true, trustworthy: true, floor: Date.UTC(2026, 0, 1) });
    expect(asked).toEqual([0, 1, 2, 3]);
  });

  it('stops at the first page without news', async () => {
    const { walk, asked } = over(threePages);
    const known = (facts: AdvisoryFacts) => Number(facts.advisory.split('-')[3]) <= 7;
    expect(await walk.walk({ ...NEWS, isKnown: known })).toMatchObject({ whole: false, floor: Date.UTC(2026, 0, 4) });
    expect(asked).toEqual([0, 1]);
  });

  it('goes on past what is known while something older is looked for', async () => {
    const { walk, asked } = over(threePages);
    await walk.walk({ ...NEWS, isKnown: () => true, downTo: Date.UTC(2026, 0, 5) });
    expect(asked).toEqual([0, 1]);
  });

  it('ends with a feed that answers every page with the first', async () => {
    const { walk, asked } = over(() => page(9, 8, 7));
    expect(await walk.walk(EVERYTHING)).toMatchObject({ whole: true, floor: Date.UTC(2026, 0, 7) });
    expect(asked).toEqual([0, 1]);
  });

  it('is none when the first page has not changed, and refuses a feed without any advisory', async () => {
    expect(await over(() => null).walk.walk(NEWS)).toBeNull();
    await expect(over(() => page()).walk.walk(NEWS)).rejects.toThrow(/no advisory/);
  });

  it('is not to be trusted with an entry that has not even an id', async () => {
    const { walk } = over((number) => (number === 0 ? { ...page(9), unreadable: [null] } : page()));
    expect(await walk.walk(EVERYTHING)).toMatchObject({ trustworthy: false });
  });
});
