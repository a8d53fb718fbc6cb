import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listSyncFailures, moduleSync, syncOverview } from '#libs/contracts';
import { eventually, ManualClock } from '#libs/testing';
import type { Records } from '../../../tools/upstream/records.js';
import { startUpstream, type Upstream } from '../../../tools/upstream/server.js';
import { catalogBox, type CatalogBox } from './catalog-in-a-box.js';

const records: Records = {
  projects: [
    {
      name: 'token',
      title: 'Token',
      type: 'project_module',
      releases: [{ version: '8.x-1.0', date: '2020-01-01T00:00:00Z' }],
    },
  ],
  advisories: [
    {
      id: 'SA-CONTRIB-2021-001',
      project: 'other',
      published: '2021-01-20T17:00:00Z',
      core: '8+',
      title: 'Other - Critical - SA-CONTRIB-2021-001',
      url: 'https://www.drupal.org/sa-contrib-2021-001',
    },
  ],
};
const DAY = 86_400_000;

describe('what upstream answered that was not taken', () => {
  const START = '2026-03-03T10:00:00.000Z';
  let clock: ManualClock;
  let upstream: Upstream;
  let box: CatalogBox;
  const moduleState = () => box.ask(moduleSync, { module: 'token' });
  const failures = (filter: object = {}) => box.ask(listSyncFailures, { page: 1, per_page: 10, ...filter });
  /** Lets time pass until the module is due and has been asked for again. */
  async function askAgain(): Promise<void> {
    await box.atRest();
    const before = (await moduleState())!.sync!;
    clock.set(new Date(Math.max(Date.parse(before.next_due_at), clock.now().getTime()) + 1_000));
    await eventually(async () => (await moduleState())!.sync!.last_attempt_at !== before.last_attempt_at, {
      what: 'token to be asked for again',
    });
  }

  beforeEach(async () => {
    clock = new ManualClock(START);
    upstream = await startUpstream({ clock, records });
    box = await catalogBox(clock);
    await box.start(upstream.url, { beat: { pollMs: 20, retryMs: 1_000 } });
    await box.see('token');
    await eventually(async () => (await moduleState())?.outcome === 'ok', { what: 'token to be known' });
  });
  afterEach(async () => {
    await box?.close();
    await upstream.stop();
  });

  it('S62: is kept with its reason, marks the module stale since the first, and is over with the next good answer', async () => {
    expect(await moduleState()).toMatchObject({
      known_upstream: true,
      revision: 1,
      sync: { last_success_at: START, failures: 0, stale_since: null, last_failure_code: null },
    });
    upstream.control.break({ fault: { kind: 'truncated' }, path: '/release-history/token/current', times: 1 });
    upstream.control.break({
      fault: { kind: 'status', status: 500 },
      path: '/release-history/token/current',
      times: 1,
    });
    // Without a condition, so that the spoilt body itself arrives.
    await box.sql.query('UPDATE module_documents SET etag = NULL, last_modified = NULL');
    await askAgain();
    const first = (await moduleState())!.sync!;
    expect(first).toMatchObject({ failures: 1, last_failure_code: 'not_well_formed', last_success_at: START });
    expect(first.stale_since).toBe(first.last_attempt_at);
    await askAgain();
    expect((await moduleState())!.sync).toMatchObject({
      failures: 2,
      last_failure_code: 'http_status',
      last_failure_detail: 'status 500',
      stale_since: first.stale_since,
    });
    expect(await box.ask(syncOverview, {})).toMatchObject({
      followed: 1,
      failing: 1,
      waiting: 0,
      failures_last_24_hours: { http_status: 1, not_well_formed: 1 },
    });

    await askAgain();
    expect((await moduleState())!.sync).toMatchObject({ failures: 0, stale_since: null, last_failure_code: null });
    const kept = await failures({ module: 'token' });
    expect(kept.items.map(({ module, code, failures: place }) => [module, code, place])).toEqual([
      ['token', 'http_status', 2],
      ['token', 'not_well_formed', 1],
    ]);
    expect(kept.meta.total).toBe(2);
    expect((await failures({ code: ['http_status'] })).items).toHaveLength(1);
    expect((await failures({ before: START })).items).toEqual([]);
    expect((await failures({ sort: 'at', per_page: 1 })).items[0]).toMatchObject({ code: 'not_well_formed' });
  });

  it('is kept for thirty days, and of each subject the latest hundred', async () => {
    await box.sql.query(
      `INSERT INTO sync_failures (subject, module, code, at, failures)
       SELECT 'module:token', 'token', 'timeout', $1::timestamptz + place * interval '1 second', place FROM generate_series(1, 120) AS place
       UNION ALL SELECT 'module:gone', 'gone', 'timeout', $2::timestamptz, 1
       UNION ALL SELECT 'module:old', 'old', 'timeout', $3::timestamptz, 1`,
      [START, new Date(Date.parse(START) - 29 * DAY), new Date(Date.parse(START) - 31 * DAY)],
    );
    upstream.control.break({ fault: { kind: 'status', status: 500 }, path: '/release-history/token/current' });
    await askAgain();
    const rows: { subject: string; count: number }[] = await eventually(
      async () => {
        const found = await box.sql.query(
          'SELECT subject, count(*)::int AS count FROM sync_failures GROUP BY subject ORDER BY subject',
        );
        return found.length === 2 ? found : null;
      },
      { what: 'old failures to be forgotten' },
    );
    expect(rows).toEqual([
      { subject: 'module:gone', count: 1 },
      { subject: 'module:token', count: 100 },
    ]);
    expect((await failures({ module: 'token' })).items[0]).toMatchObject({ code: 'http_status' });
  });

  it('S62: takes no advisory away, whatever the feed and the archive answer instead of them', async () => {
    const count = async () =>
      (await box.sql.query(`SELECT count(*)::int AS count FROM advisories WHERE state = 'published'`))[0]
        .count as number;
    await eventually(async () => (await count()) === 1, { what: 'the advisory to be known' });
    const feeds = async () => (await box.ask(syncOverview, {})).feeds;
    const faults = [{ kind: 'truncated' }, { kind: 'empty' }, { kind: 'wrong-type' }, { kind: 'cut' }] as const;
    for (const [place, fault] of faults.entries()) {
      await box.atRest();
      upstream.control.heal();
      upstream.control.break({ fault, path: /rss|api-d7/ });
      // A day later, the archive is to be read whole; and without a condition, so that the spoilt body itself arrives.
      await box.sql.query(`UPDATE advisory_feed SET etag = NULL, last_modified = NULL`);
      clock.advance(DAY);
      await eventually(
        async () => {
          const states = await feeds();
          expect(states.map(({ failures: inARow }) => inARow > place)).toEqual([true, true]);
          return true;
        },
        { what: `both to fail with ${fault.kind}` },
      );
      expect(await count()).toBe(1);
    }
    expect((await feeds()).map((feed) => [feed.subject, feed.stale_since !== null]).sort()).toEqual([
      ['advisories', true],
      ['advisory-archive', true],
    ]);
    expect((await box.told()).advisories.filter(({ state }) => state === 'retracted')).toEqual([]);
  });

  it('is nothing for a module that nobody runs', async () => {
    expect(await box.ask(moduleSync, { module: 'nobody_runs_this' })).toBeNull();
  });
});
