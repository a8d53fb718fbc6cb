import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, ManualClock } from '#libs/testing';
import { startUpstream, type Upstream } from '../../../tools/upstream/server.js';
import { catalogBox, type CatalogBox } from './catalog-in-a-box.js';

const MODULES = Array.from({ length: 40 }, (_, place) => `project_${place}`);
const RATE = 50;
const POLL_MS = 100;
/** What the two may begin at one moment: as much as two looks' time holds. */
const AT_ONCE = (2 * POLL_MS * RATE) / 1_000;

describe('two replicas of the catalog on one database', () => {
  const clock = new ManualClock('2026-03-03T10:00:00Z');
  let upstream: Upstream;
  let box: CatalogBox;
  const histories = () =>
    upstream.requests.filter(({ url }) => url.startsWith('/release-history/')).map(({ url }) => url);

  beforeAll(async () => {
    upstream = await startUpstream({ clock, records: { projects: [], advisories: [] } });
    box = await catalogBox(clock);
  });
  afterAll(async () => {
    await box?.close();
    await upstream.stop();
  });

  it('ask for each module once, and share the rate that its host may get', async () => {
    const polite = { beat: { pollMs: POLL_MS }, settings: { ratePerSecond: RATE, sharedRate: true } };
    await box.start(upstream.url, polite);
    await box.start(upstream.url, polite);
    await box.see(...MODULES);
    // Time stands still: what may be begun is begun, and no more, until it moves on.
    for (let round = 1; histories().length < MODULES.length; round++) {
      const expected = Math.min(MODULES.length, round * AT_ONCE);
      await eventually(() => histories().length >= expected, { what: `${expected} modules to be asked for` });
      const [row] = await box.sql.query('SELECT given_until FROM upstream_budgets');
      expect(row.given_until.getTime() - clock.now().getTime()).toBeLessThanOrEqual(2 * POLL_MS);
      expect(histories().length).toBeLessThanOrEqual(expected);
      clock.advance(2 * POLL_MS);
    }
    expect(new Set(histories()).size).toBe(MODULES.length);
    expect(histories()).toHaveLength(MODULES.length);
  });
});
