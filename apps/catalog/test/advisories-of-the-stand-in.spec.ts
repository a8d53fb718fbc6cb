import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { advisoryVerdict } from '#libs/drupal';
import { createLogger } from '#libs/runtime';
import { advisoryRss, FEED_SIZE } from '../../../tools/upstream/advisory-rss.js';
import { shownTitle } from '../../../tools/upstream/advisory-text.js';
import { CatalogueAt } from '../../../tools/upstream/catalogue-at.js';
import { loadRecords, type AdvisoryRecord } from '../../../tools/upstream/records.js';
import { startUpstream, type Upstream } from '../../../tools/upstream/server.js';
import { readAdvisory, type AdvisoryFacts } from '../src/advisory/advisory-facts.js';
import { combineReadings } from '../src/advisory/combine-readings.js';
import { readFeed } from '../src/advisory/feed-reader.js';
import { ReadArchiveService } from '../src/advisory/read-archive.service.js';
import { scoreOfVector } from '../src/advisory/risk.js';
import { WalkArchiveService } from '../src/advisory/walk-archive.service.js';
import { LOCAL_BEAT } from '../src/sync/beat.js';
import { systemTimers } from '../src/timers.js';
import { UpstreamClient } from '../src/upstream/upstream-client.service.js';
import { upstreamSettings } from '../src/upstream/upstream-settings.js';

/** A page of Drupal.org's own feed, recorded; it is not part of the project. */
const REAL = join(
  process.env['PATCHWATCH_REAL_DATA_DIR'] ?? join(process.cwd(), '..', 'shared', 'data', 'real'),
  'xml',
);
const realPage = existsSync(REAL)
  ? readdirSync(REAL).find((file) => file.startsWith('security-advisories_rss'))
  : undefined;

const withReal = realPage ? test : test.skip;
const skipped = realPage ? '' : 'skipped, no recorded page here (PATCHWATCH_REAL_DATA_DIR names its folder): ';

const NOW = new Date('2026-10-01T00:00:00Z');

/** All recorded advisories, written by the stand-in in both forms and read by the catalog, against the recorded facts. */
describe('every recorded advisory, through the feed and through the archive', () => {
  let upstream: Upstream;
  const read = new Map<string, AdvisoryFacts>();
  const archived = new Map<string, AdvisoryFacts>();
  let announcements = 0;
  const records = loadRecords();
  const { advisories, projects } = records;
  const recorded = new Map(advisories.map((advisory) => [advisory.id, advisory]));
  const titles = new Map(projects.map(({ name, title }) => [name, title]));

  beforeAll(async () => {
    upstream = await startUpstream({ clock: { now: () => NOW }, machineNames: false });
    // The feed shows the newest only; the older ones in its form come from what writes it.
    const catalogue = new CatalogueAt(records);
    for (let from = 0; ; from += FEED_SIZE) {
      const items = await readFeed(advisoryRss(catalogue, NOW.getTime(), from));
      if (items.length === 0) break;
      for (const item of items) {
        const facts = readAdvisory(item);
        if (facts) read.set(facts.advisory, facts);
        else announcements += 1;
      }
    }
    const settings = upstreamSettings(upstream.url);
    const client = new UpstreamClient(settings, { now: () => NOW });
    const parts = { settings, client, beat: LOCAL_BEAT, timers: systemTimers };
    const reader = new ReadArchiveService(parts, createLogger('test', { level: 'silent' }));
    const walk = await new WalkArchiveService({ now: () => NOW }, reader).walk({
      whole: true,
      changedUntil: null,
      projects: new Map(),
    });
    expect([walk.unreadable.size, walk.trustworthy]).toEqual([0, true]);
    for (const facts of walk.seen) archived.set(facts.advisory, facts);
    client.close();
  });
  afterAll(() => upstream.stop());

  it('is read, and announcements are told apart', () => {
    expect([...read.keys()].sort()).toEqual([...recorded.keys()].sort());
    expect(announcements).toBe(1);
  });

  it('has every field as recorded', () => {
    const differences = [...recorded.values()].flatMap((advisory) => {
      const expected = expectedFacts(advisory, titles.get(advisory.project) ?? advisory.project);
      const found = read.get(advisory.id)!;
      return JSON.stringify(found, Object.keys(expected).sort()) ===
        JSON.stringify(expected, Object.keys(expected).sort())
        ? []
        : [{ expected, found }];
    });
    expect(differences).toEqual([]);
    expect(read.size).toBe(recorded.size);
  });

  it('says the same in the archive, but for a score that Drupal.org itself states otherwise than its vector', () => {
    const differing = [...read.values()].flatMap((facts) => {
      const { risk, risk_score, ...rest } = archived.get(facts.advisory)!;
      expect(rest).toEqual(
        Object.fromEntries(
          Object.entries(facts).filter(([field]) => !field.startsWith('risk') || field === 'risk_vector'),
        ),
      );
      const same = risk === facts.risk && (risk_score === facts.risk_score || facts.risk_vector === null);
      return same ? [] : [facts.advisory];
    });
    expect(archived.size).toBe(read.size);
    expect(differing.sort()).toEqual([
      'SA-CORE-2020-005',
      'SA-CORE-2020-008',
      'SA-CORE-2021-002',
      'SA-CORE-2021-003',
      'SA-CORE-2022-001',
    ]);
    // Together they say what the feed says.
    for (const facts of read.values()) {
      const archive = archived.get(facts.advisory)!;
      expect(combineReadings('archive', { feed: facts, archive })).toEqual(facts);
    }
  });

  it('never takes a Drupal 7 advisory for one of Drupal 8, nor the other way round', () => {
    const releases = new Map(projects.map((project) => [project.name, project.releases]));
    let judged = 0;
    for (const advisory of recorded.values()) {
      const facts = read.get(advisory.id)!;
      if (facts.unsupported || advisory.project === 'drupal') continue;
      for (const { version } of releases.get(advisory.project) ?? []) {
        const verdict = advisoryVerdict({ affected: facts.affected, affectedD7: facts.affected_d7 }, version);
        const drupal7 = version.startsWith('7.x-');
        if (advisory.core === '7' && !drupal7) expect([advisory.id, version, verdict]).not.toContain('affected');
        if (drupal7 && !advisory.affected_d7) expect([advisory.id, version, verdict]).not.toContain('affected');
        judged += 1;
      }
    }
    expect(judged).toBeGreaterThan(5_000);
  });

  it('marks as affected exactly the releases that were recorded as insecure by it', () => {
    const differences: string[] = [];
    for (const project of projects) {
      for (const release of project.releases) {
        if (release.version.startsWith('7.x-') || (project.name === 'drupal' && /^[1-7]\./.test(release.version)))
          continue;
        for (const facts of read.values()) {
          if (facts.module !== project.name || facts.unsupported) continue;
          const affected =
            advisoryVerdict({ affected: facts.affected, affectedD7: facts.affected_d7 }, release.version) ===
            'affected';
          const insecure = release.insecure_by?.includes(facts.advisory) ?? false;
          // A release whose own date is not on record is dated by its advisory; the recorded facts leave out earlier advisories then.
          const datedByAdvisory = release.date_basis === 'advisory' && release.date! > facts.published_at;
          if (affected !== insecure && !datedByAdvisory)
            differences.push(`${project.name} ${release.version} ${facts.advisory}: ${affected}`);
        }
      }
    }
    expect(differences).toEqual([]);
  });

  withReal(`${skipped}a page that Drupal.org itself wrote is read like the stand-in's`, async () => {
    const items = await readFeed(gunzipSync(readFileSync(join(REAL, realPage!))).toString('utf8'));
    const advisoriesOfPage = items.flatMap((item) => readAdvisory(item) ?? []);
    expect([items.length, advisoriesOfPage.length]).toEqual([4, 3]);
    for (const facts of advisoriesOfPage) {
      const ours = read.get(facts.advisory)!;
      // What no record tells is empty in the stand-in's feed; what it tells must be what Drupal.org wrote.
      const told = Object.entries(ours).filter(
        ([, value]) => value !== null && !(Array.isArray(value) && value.length === 0),
      );
      expect(facts).toMatchObject({
        ...Object.fromEntries(told),
        cves: facts.cves,
        fixed: expect.arrayContaining(ours.fixed),
      });
      expect(facts.risk_score).not.toBeNull();
      expect(facts.risk_vector).toMatch(/^AC:.*TD:[A-Z][a-z]+$/);
    }
  });
});

const RISKS: Readonly<Record<string, string>> = {
  'Highly critical': 'highly_critical',
  Critical: 'critical',
  'Moderately critical': 'moderately_critical',
  'Less critical': 'less_critical',
};

function expectedFacts(advisory: AdvisoryRecord, project: string): AdvisoryFacts {
  return {
    advisory: advisory.id,
    module: advisory.project,
    title: shownTitle(advisory, project),
    url: advisory.url,
    published_at: new Date(advisory.published).toISOString(),
    risk: (advisory.risk ? RISKS[advisory.risk] : null) as AdvisoryFacts['risk'],
    risk_score: advisory.score ?? (advisory.vector ? scoreOfVector(advisory.vector) : null),
    risk_vector: advisory.vector ?? null,
    vulnerability: advisory.type ?? null,
    cves: [...new Set((advisory.cve ?? []).map((id) => id.trim()))],
    affected: coreRange(advisory),
    affected_d7: advisory.affected_d7 ?? null,
    fixed: [...(advisory.fixed ?? [])],
    unsupported: advisory.unsupported ?? false,
  };
}

/** Of core, the catalog adds the lower bound that an open range means. */
function coreRange({ project, affected }: AdvisoryRecord): string | null {
  if (project !== 'drupal' || !affected) return affected ?? null;
  return affected
    .split('||')
    .map((part) => part.trim())
    .map((part) => (/^<\s*(8|9|10|11)\./.test(part) ? `>=8.0.0 ${part}` : part))
    .join(' || ');
}
