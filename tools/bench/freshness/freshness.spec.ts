import { describe, expect, it } from '@jest/globals';
import { judge } from './judge.js';
import { publicationsBetween } from './publications.js';
import { projectName, simulate, type Plan } from './simulate.js';

const MINUTE = 60_000;
const RATE = 5;
const modules = Array.from({ length: 20 }, (_, place) => projectName(place));
const span = (from: string, until: string, place: number) =>
  publicationsBetween(
    { from: `2026-03-04T${from}:00Z`, until: `2026-03-04T${until}:00Z`, everyMs: 4 * MINUTE },
    modules.slice(place, place + 10),
    place * 100 + 1,
  );
/** `npm run bench -- freshness` does the same with 10,000 projects and a whole day. */
const plan: Plan = {
  // Looking less often is later, not sooner; and it is quick.
  beat: { pollMs: 15_000 },
  projects: 60,
  sites: 3,
  from: '2026-03-04T14:35:00Z',
  until: '2026-03-04T15:22:00Z',
  publications: [...span('14:38', '14:46', 0), ...span('15:01', '15:17', 10)],
};

describe('a virtual Wednesday', () => {
  it('opens exposures within two minutes of a publication in the security window, within fifteen otherwise, and politely', async () => {
    const judgement = judge(await simulate(plan), plan.projects, RATE);
    expect(judgement.broken).toEqual([]);
    expect([judgement.window.publications, judgement.otherwise.publications]).toEqual([4, 2]);
    expect(judgement.window.maxMs).toBeGreaterThan(0);
  }, 180_000);

  it('shows when a beat is too slow for what is promised', async () => {
    const slow = {
      advisories: { normalMs: 20 * MINUTE, windowMs: 10 * MINUTE },
      archive: { normalMs: 60 * MINUTE, windowMs: 60 * MINUTE },
    };
    const shorter = {
      from: '2026-03-04T14:58:00Z',
      until: '2026-03-04T15:12:00Z',
      publications: span('15:01', '15:08', 10),
    };
    const { broken } = judge(
      await simulate({ ...plan, ...shorter, beat: { ...plan.beat, ...slow } }),
      plan.projects,
      RATE,
    );
    expect(broken).toContainEqual(expect.stringMatching(/^window: /));
  }, 180_000);
});
