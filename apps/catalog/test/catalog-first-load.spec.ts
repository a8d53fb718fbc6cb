import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '#libs/testing';
import { loadRecords } from '../../../tools/upstream/records.js';
import { startUpstream, type Upstream } from '../../../tools/upstream/server.js';
import { catalogBox, type CatalogBox } from './catalog-in-a-box.js';

const MODULES = 1_600;

describe('the catalog of a fleet that it sees for the first time', () => {
  let upstream: Upstream;
  let box: CatalogBox;
  beforeAll(async () => {
    upstream = await startUpstream({ clock: { now: () => new Date('2026-10-01T00:00:00Z') } });
    box = await catalogBox();
  });
  afterAll(async () => {
    await box?.close();
    await upstream.stop();
  });

  it(`tells of ${MODULES} modules and of every advisory, asking for each once, between two replicas`, async () => {
    const { projects, advisories } = loadRecords();
    const others = projects.map(({ name }) => name).filter((name) => name !== 'drupal');
    const modules = ['drupal', ...others].slice(0, MODULES);
    const started = performance.now();
    await box.start(upstream.url);
    await box.start(upstream.url);
    for (let i = 0; i < modules.length; i += 200) await box.see(...modules.slice(i, i + 200));
    await eventually(
      async () => {
        const [row] = await box.sql.query(
          `SELECT (SELECT count(*)::int FROM modules WHERE revision > 0) AS modules, (SELECT count(*)::int FROM advisories) AS advisories`,
        );
        expect(row).toEqual({ modules: MODULES, advisories: advisories.length });
        return true;
      },
      { timeoutMs: 300_000, everyMs: 100, what: 'all to be known' },
    );
    const took = performance.now() - started;
    process.stdout.write(`${MODULES} modules and ${advisories.length} advisories in ${(took / 1000).toFixed(1)} s\n`);

    const histories = upstream.requests.filter(({ url }) => url.startsWith('/release-history/'));
    const asked = new Set(histories.map(({ url }) => url));
    expect(asked.size).toBe(MODULES);
    // A module that an advisory names is asked for again, conditionally; none is asked for twice without a condition.
    expect(histories.filter(({ status }) => status === 200)).toHaveLength(MODULES);
    const told = await eventually(
      async () => {
        const now = await box.told();
        expect([now.releases.length, now.advisories.length]).toEqual([MODULES, advisories.length]);
        return now;
      },
      { what: 'all to be told' },
    );
    expect(new Set(told.releases.map(({ module }) => module)).size).toBe(MODULES);
  }, 360_000);
});
