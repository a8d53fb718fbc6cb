import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually, ManualClock } from '#libs/testing';
import type { Records } from '../../../tools/upstream/records.js';
import { startUpstream, type Upstream } from '../../../tools/upstream/server.js';
import { catalogBox, type CatalogBox } from './catalog-in-a-box.js';

const NOW = '2026-03-03T10:00:00Z';
const records: Records = {
  projects: [
    {
      name: 'drupal',
      title: 'Drupal core',
      type: 'project_core',
      releases: [{ version: '11.3.0', date: '2025-12-10T10:00:00Z' }],
    },
    {
      name: 'token',
      title: 'Token',
      type: 'project_module',
      releases: ['8.x-1.0', '8.x-1.1', '8.x-1.2', '8.x-1.3'].map((version, year) => ({
        version,
        date: `202${year}-01-01T00:00:00Z`,
        core: '^9 || ^10',
      })),
    },
  ],
  advisories: [
    {
      id: 'SA-CONTRIB-2021-001',
      project: 'other',
      published: '2021-01-20T17:00:00Z',
      core: '8+',
      affected: '<1.1.0',
      fixed: ['1.1.0'],
      title: 'Other - SA-CONTRIB-2021-001',
      url: 'https://www.drupal.org/sa-contrib-2021-001',
    },
  ],
};

describe('the catalog with an upstream', () => {
  let clock: ManualClock;
  let upstream: Upstream;
  let box: CatalogBox;
  const stateOf = async (subject: string) =>
    (await box.sql.query('SELECT * FROM sync_states WHERE subject = $1', [subject]))[0];
  const requestsFor = (path: string) => upstream.requests.filter(({ url }) => url === path);
  const TOKEN = '/release-history/token/current';

  /** Makes `subject` due `afterMs` later and waits until it was asked for again. */
  async function askAgain(
    subject: string,
    afterMs = 1_000,
  ): Promise<{ last_outcome: string; last_code: string | null }> {
    await box.atRest();
    clock.advance(afterMs);
    await box.sql.query('UPDATE sync_states SET next_due = $2 WHERE subject = $1', [subject, clock.now()]);
    return await eventually(
      async () => {
        const state = await stateOf(subject);
        return state.last_at?.getTime() === clock.now().getTime() && state.lease_owner === null ? state : null;
      },
      { what: `${subject} to be asked for again` },
    );
  }

  beforeEach(async () => {
    clock = new ManualClock(NOW);
    upstream = await startUpstream({ clock, records });
    box = await catalogBox(clock);
    await box.start(upstream.url, { beat: { pollMs: 20, retryMs: 1_000 } });
    await box.see('token', 'drupal', 'nobody_knows_this', 'not a project!');
    await eventually(async () => (await box.told()).releases.length === 4, { what: 'four modules to be told of' });
    await eventually(async () => (await box.told()).advisories.length === 1, {
      what: 'the old advisory to be told of',
    });
  });
  afterEach(async () => {
    await box?.close();
    await upstream.stop();
  });

  it('tells of every module that a site runs, also of those upstream does not know, and asks for no impossible name', async () => {
    const { releases } = await box.told();
    const byName = new Map(releases.map((told) => [told.module, told]));
    expect(byName.get('token')).toMatchObject({ revision: 1, outcome: 'ok', known_at: '2026-03-03T10:00:00.000Z' });
    expect(byName.get('token')?.history?.releases.map(({ version }) => version)).toEqual([
      '8.x-1.3',
      '8.x-1.2',
      '8.x-1.1',
      '8.x-1.0',
      '8.x-1.x-dev',
    ]);
    expect(byName.get('nobody_knows_this')).toMatchObject({ revision: 1, outcome: 'not_found', history: null });
    expect(byName.get('not a project!')).toMatchObject({ outcome: 'not_found', history: null });
    expect(upstream.requests.filter(({ url }) => url.includes('not%20a'))).toEqual([]);
    for (const { url, headers } of upstream.requests.filter((request) => request.url.startsWith('/release-history/'))) {
      expect([url, headers.accept]).toEqual([expect.not.stringContaining('?'), 'text/xml']);
    }
  });

  it('asks conditionally, and an unchanged document changes nothing', async () => {
    expect(await askAgain('module:token')).toMatchObject({ last_outcome: 'not_modified', failures: 0 });
    expect(requestsFor(TOKEN).map(({ status }) => status)).toEqual([200, 304]);
    expect((await box.told()).releases).toHaveLength(4);
  });

  it('tells of a new release, and keeps one that is withdrawn', async () => {
    clock.advance(60_000);
    upstream.control.publishRelease({
      project: 'token',
      version: '8.x-1.4',
      security: true,
      marksInsecure: ['8.x-1.3'],
    });
    await askAgain('module:token');
    const told = await eventually(async () => (await box.told()).releases[4], { what: 'the change to be told' });
    expect(told).toMatchObject({ module: 'token', revision: 2 });
    expect(told.history?.releases[0]).toMatchObject({
      version: '8.x-1.4',
      terms: { 'Release type': ['Security update'] },
    });
    expect(told.history?.releases[1]).toMatchObject({ version: '8.x-1.3', terms: { 'Release type': ['Insecure'] } });

    clock.advance(60_000);
    upstream.control.withdrawRelease('token', '8.x-1.4');
    await askAgain('module:token');
    const [row] = await box.sql.query(`SELECT withdrawn_at FROM releases WHERE version = '8.x-1.4'`);
    expect(row.withdrawn_at).toEqual(clock.now());
  });

  it.each([
    ['truncated', { kind: 'truncated' }, 'not_well_formed'],
    ['cut off', { kind: 'cut' }, 'cut_short'],
    ['an HTML page', { kind: 'wrong-type' }, 'wrong_content_type'],
    ['empty', { kind: 'empty' }, 'empty'],
    ['with a document type', { kind: 'doctype' }, 'doctype'],
    ['a gzip bomb', { kind: 'oversized', bytes: 64 * 1024 * 1024 }, 'too_large'],
    [
      'a redirect to the metadata service',
      { kind: 'redirect', location: 'http://169.254.169.254/' },
      'redirect_refused',
    ],
    ['a server error', { kind: 'status', status: 503 }, 'http_status'],
    ['a refusal', { kind: 'status', status: 429, retryAfter: '7200' }, 'rate_limited'],
    ['older than what is known', { kind: 'older', asOf: new Date('2022-06-01T00:00:00Z') }, 'older_document'],
    ['about nothing any more', { kind: 'older', asOf: new Date('2001-01-01T00:00:00Z') }, 'vanished'],
  ] as const)('S62: keeps the good data when an answer is %s', async (_, fault, code) => {
    const before = await box.sql.query('SELECT hash, history, etag FROM module_documents ORDER BY module_id');
    // Without a condition, so that the spoilt body itself arrives.
    await box.sql.query(`UPDATE module_documents SET etag = NULL, last_modified = NULL`);
    if (fault.kind === 'older') {
      const modified = 'Mon, 01 Jan 2024 00:00:00 GMT';
      await box.sql.query(`UPDATE module_documents SET etag = '"x"', last_modified = $1`, [modified]);
    }
    upstream.control.break({ fault, path: TOKEN });
    expect(await askAgain('module:token')).toMatchObject({ last_outcome: 'failed', last_code: code, failures: 1 });
    const after = await box.sql.query('SELECT hash, history FROM module_documents ORDER BY module_id');
    expect(after).toEqual(before.map(({ hash, history }: { hash: string; history: object }) => ({ hash, history })));
    expect((await box.told()).releases).toHaveLength(4);
    const due = (await stateOf('module:token')).next_due.getTime() - clock.now().getTime();
    expect(due).toBeGreaterThanOrEqual(code === 'rate_limited' ? 7_200_000 : 500);
  });

  it('S62: takes no older copy from a server that dates nothing, unless it has said nothing better for a day', async () => {
    await box.sql.query(`UPDATE module_documents SET etag = NULL, last_modified = NULL`);
    upstream.control.break({ fault: { kind: 'older', asOf: new Date('2022-06-01T00:00:00Z') }, path: TOKEN });
    expect(await askAgain('module:token')).toMatchObject({ last_outcome: 'failed', last_code: 'older_document' });
    expect((await stateOf('module:token')).last_detail).toContain('2023-01-01');
    expect(await askAgain('module:token', 86_400_000)).toMatchObject({ last_outcome: 'changed', failures: 0 });
    const told = await eventually(async () => (await box.told()).releases[4], { what: 'the older history to be told' });
    expect(told.history?.releases[0]).toMatchObject({ version: '8.x-1.2' });
  });

  it('S62: keeps as a failure what the database refuses, and goes on with everything else', async () => {
    clock.advance(60_000);
    const version = `8.x-1.${randomBytes(6_000).toString('hex')}`;
    upstream.control.publishRelease({ project: 'token', version });
    expect(await askAgain('module:token')).toMatchObject({ last_outcome: 'failed', last_code: 'unstorable' });
    expect((await box.told()).releases).toHaveLength(4);
    upstream.control.withdrawRelease('token', version);
    expect(await askAgain('module:token')).toMatchObject({ failures: 0, last_code: null });
  });

  it('keeps an answer while the database is not ready for it, and writes it then without asking upstream again', async () => {
    await box.sql.query(`
      CREATE SEQUENCE refusals;
      CREATE FUNCTION not_ready() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM nextval('refusals');
        RAISE EXCEPTION 'not ready' USING ERRCODE = '57P03';
      END $$;
      CREATE TRIGGER not_ready BEFORE UPDATE ON sync_states FOR EACH ROW
      WHEN (NEW.subject = 'module:token' AND NEW.lease_owner IS NULL AND OLD.lease_owner IS NOT NULL) EXECUTE FUNCTION not_ready()`);
    upstream.control.publishRelease({ project: 'token', version: '8.x-1.4' });
    const asked = requestsFor(TOKEN).length;
    const written = askAgain('module:token');
    // As a batch, alone, and alone once more.
    await eventually(async () => Number((await box.sql.query('SELECT last_value FROM refusals'))[0].last_value) >= 3, {
      what: 'the answer to be refused again and again',
    });
    await box.sql.query('DROP TRIGGER not_ready ON sync_states');
    expect(await written).toMatchObject({ last_outcome: 'changed', failures: 0 });
    expect(requestsFor(TOKEN)).toHaveLength(asked + 1);
  });

  it('tells of an advisory, of its revision and of its retraction, keeps each version, and asks for its module at once', async () => {
    clock.advance(60_000);
    const asked = requestsFor(TOKEN).length;
    upstream.control.publishAdvisory({
      id: 'SA-CONTRIB-2026-900',
      project: 'token',
      affected: '<1.4.0',
      fixed: ['8.x-1.4'],
      risk: 'Critical',
      score: 16,
      vector: 'AC:Basic/A:None/CI:Some/II:Some/E:Theoretical/TD:All',
      cve: ['CVE-2026-0001'],
    });
    await askAgain('advisories');
    await eventually(async () => (await box.told()).advisories.length === 2, { what: 'the advisory to be told' });
    expect((await box.told()).advisories[1]).toMatchObject({
      advisory: 'SA-CONTRIB-2026-900',
      module: 'token',
      revision: 1,
      state: 'published',
      risk: 'critical',
      risk_score: 16,
      affected: '<1.4.0',
      affected_d7: null,
      fixed: ['8.x-1.4'],
    });
    await eventually(() => requestsFor(TOKEN).length > asked, { what: 'the named module to be asked for' });

    clock.advance(60_000);
    upstream.control.reviseAdvisory('SA-CONTRIB-2026-900', { affected: '<1.5.0' });
    await askAgain('advisories');
    await eventually(async () => (await box.told()).advisories.length === 3, { what: 'the revision to be told' });
    expect((await box.told()).advisories[2]).toMatchObject({ revision: 2, affected: '<1.5.0', state: 'published' });

    clock.advance(60_000);
    upstream.control.publishAdvisory({ id: 'SA-CONTRIB-2026-901', project: 'token', affected: '<1.1.0', fixed: [] });
    upstream.control.retractAdvisory('SA-CONTRIB-2026-900');
    // The feed has a hole; the archive is asked for all it has, at once and once more.
    await askAgain('advisories');
    await eventually(async () => (await box.told()).advisories.length === 4, { what: 'the next advisory to be told' });
    await askAgain('advisory-archive');
    expect((await box.told()).advisories.filter(({ state }) => state === 'retracted')).toEqual([]);
    clock.advance(60_000);
    await askAgain('advisory-archive');
    await eventually(async () => (await box.told()).advisories.length === 5, { what: 'the retraction to be told' });
    expect((await box.told()).advisories[4]).toMatchObject({
      advisory: 'SA-CONTRIB-2026-900',
      revision: 3,
      state: 'retracted',
    });
    const versions = await box.sql.query(
      `SELECT revision, facts ->> 'affected' AS affected FROM advisory_versions WHERE advisory = 'SA-CONTRIB-2026-900' ORDER BY revision`,
    );
    expect(versions.map(({ revision }: { revision: number }) => revision)).toEqual([1, 2, 3]);
  });
});
