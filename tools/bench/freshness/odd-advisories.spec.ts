import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startUpstream, type Upstream } from '../../upstream/server.js';
import { change, inventory, organization, site } from '../../../apps/reporting/test/facts.js';
import { ReportingBox } from '../../../apps/reporting/test/reporting-box.js';
import { LOCAL_BEAT } from '../../../apps/catalog/src/sync/beat.js';
import { upstreamSettings } from '../../../apps/catalog/src/upstream/upstream-settings.js';
import { VirtualCatalog } from './virtual-catalog.js';
import { VirtualTime } from './virtual-time.js';

const MINUTE = 60_000;
const names = ['late', 'double', 'given_up', 'wrong', 'elsewhere'];
const released = ['1.0.0', '1.1.0'].map((version, place) => ({ version, date: `2025-0${place + 1}-01T00:00:00Z` }));

interface Exposure {
  readonly site_id: number;
  readonly advisory: string;
  readonly state: string;
  readonly reason: string | null;
  readonly opened_at: Date;
  readonly fixed: string[];
}

/** From what Drupal.org publishes to exposures, through the catalog as it is and reporting as it is. */
describe('an odd advisory', () => {
  const time = new VirtualTime('2026-03-03T10:00:00Z');
  let upstream: Upstream;
  let catalog: VirtualCatalog;
  let reporting: ReportingBox;
  let sequence = 1;

  async function pass(ms: number): Promise<void> {
    const until = time.now().getTime() + ms;
    for (;;) {
      await catalog.quiet();
      reporting.clock.set(time.now());
      const told = catalog.takeTold();
      if (told.length > 0) await reporting.tell(...told);
      if (time.now().getTime() >= until) return;
      time.advanceTo(Math.min(time.nextWake(), until));
    }
  }
  const push = (siteId: number, ...changes: ReturnType<typeof change>[]) =>
    reporting.push(inventory(siteId, (sequence += 1), time.now().toISOString(), changes));
  const exposures = (module: string) =>
    reporting.query<Exposure>(
      `SELECT e.site_id, a.advisory, e.state, e.reason, e.opened_at, a.fixed
       FROM exposures e JOIN modules m USING (module_id) JOIN advisories a ON a.advisory_id = e.cause_id
       WHERE m.module = $1 ORDER BY e.site_id, a.advisory`,
      [module],
    );

  beforeAll(async () => {
    const projects = names.map((name) => ({ name, title: name, type: 'project_module', releases: released }));
    upstream = await startUpstream({ clock: time, records: { projects, advisories: [] } });
    upstream.control.publishAdvisory({
      id: 'SA-CONTRIB-2026-001',
      project: 'elsewhere',
      affected: '<0.1.0',
      fixed: [],
    });
    reporting = await ReportingBox.open();
    await reporting.register(organization(1), site(1), site(2));
    for (const id of [1, 2]) await push(id, ...names.map((name) => change(name, '1.1.0')));
    catalog = await VirtualCatalog.open(time, upstreamSettings(upstream.url), { ...LOCAL_BEAT, pollMs: 15_000 });
    await catalog.follow(names.map((module) => ({ module, type: 'module' })));
    catalog.start();
    await pass(2 * MINUTE);
  }, 60_000);
  afterAll(async () => {
    await catalog?.close(() => time.passOn());
    await reporting?.close();
    await upstream?.stop();
  });

  it('that comes long after its fix exposes who still runs what it fixes, since it was published, and nobody who has left it', async () => {
    upstream.control.publishRelease({ project: 'late', version: '1.2.0' });
    await pass(12 * MINUTE);
    await push(1, change('late', '1.2.0'));
    await pass(12 * MINUTE);
    const published = time.now();
    upstream.control.publishRelease({ project: 'late', version: '1.2.0', security: true, marksInsecure: ['1.1.0'] });
    upstream.control.publishAdvisory({
      id: 'SA-CONTRIB-2026-002',
      project: 'late',
      affected: '<1.2.0',
      fixed: ['1.2.0'],
    });
    await pass(2 * MINUTE);
    expect(await exposures('late')).toMatchObject([
      { site_id: 2, state: 'open', opened_at: published, fixed: ['1.2.0'] },
    ]);
  }, 60_000);

  it('beside another that the same release fixes is an exposure of its own, and both end with it', async () => {
    upstream.control.publishRelease({ project: 'double', version: '1.2.0', security: true, marksInsecure: ['1.1.0'] });
    for (const id of ['SA-CONTRIB-2026-003', 'SA-CONTRIB-2026-004']) {
      upstream.control.publishAdvisory({ id, project: 'double', affected: '<1.2.0', fixed: ['1.2.0'] });
    }
    await pass(2 * MINUTE);
    expect((await exposures('double')).map((one) => [one.site_id, one.advisory, one.state])).toEqual([
      [1, 'SA-CONTRIB-2026-003', 'open'],
      [1, 'SA-CONTRIB-2026-004', 'open'],
      [2, 'SA-CONTRIB-2026-003', 'open'],
      [2, 'SA-CONTRIB-2026-004', 'open'],
    ]);
    await push(1, change('double', '1.2.0'));
    const ended = (await exposures('double')).filter(({ state }) => state === 'closed');
    expect(ended.map((one) => [one.site_id, one.reason])).toEqual([
      [1, 'patched'],
      [1, 'patched'],
    ]);
  }, 60_000);

  it('without a fix exposes every version until the module is removed', async () => {
    upstream.control.publishAdvisory({
      id: 'SA-CONTRIB-2026-005',
      project: 'given_up',
      affected: '*',
      fixed: [],
      unsupported: true,
    });
    await pass(2 * MINUTE);
    await push(1, change('given_up', 'gone'));
    expect((await exposures('given_up')).map((one) => [one.site_id, one.state, one.reason, one.fixed])).toEqual([
      [1, 'closed', 'removed', []],
      [2, 'open', null, []],
    ]);
  }, 60_000);

  it('that is revised or taken back leaves exposures void, not patched', async () => {
    upstream.control.publishAdvisory({ id: 'SA-CONTRIB-2026-006', project: 'wrong', affected: '<1.2.0', fixed: [] });
    upstream.control.publishAdvisory({ id: 'SA-CONTRIB-2026-007', project: 'wrong', affected: '<1.2.0', fixed: [] });
    await pass(2 * MINUTE);
    expect((await exposures('wrong')).map(({ state }) => state)).toEqual(Array(4).fill('open'));
    upstream.control.reviseAdvisory('SA-CONTRIB-2026-006', { affected: '<1.1.0' });
    upstream.control.retractAdvisory('SA-CONTRIB-2026-007');
    upstream.control.publishAdvisory({
      id: 'SA-CONTRIB-2026-008',
      project: 'elsewhere',
      affected: '<0.2.0',
      fixed: [],
    });
    await pass(6 * MINUTE);
    expect((await exposures('wrong')).map(({ state, reason }) => [state, reason])).toEqual(
      Array(4).fill(['closed', 'retracted']),
    );
  }, 60_000);
});
