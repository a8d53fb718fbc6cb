import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { advisoryVerdict } from '#libs/drupal';
import { loadRecords, type AdvisoryRecord } from '../../../tools/upstream/records.js';
import { startUpstream, type Upstream } from '../../../tools/upstream/server.js';
import { readAdvisory, type AdvisoryFacts } from '../src/advisory/advisory-facts.js';
import { readFeed } from '../src/advisory/feed-reader.js';

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

/** The whole feed of recorded advisories, written by the stand-in and read by the catalog, against the recorded facts. */
describe('every recorded advisory, through the feed', () => {
  let upstream: Upstream;
  const read = new Map<string, AdvisoryFacts>();
  let announcements = 0;
  const { advisories, projects } = loadRecords();
  const recorded = new Map(advisories.map((advisory) => [advisory.id, advisory]));

  beforeAll(async () => {
    upstream = await startUpstream({ clock: { now: () => new Date('2026-10-01T00:00:00Z') } });
    for (let page = 0; ; page++) {
      const response = await fetch(`${upstream.url}/security/all/rss.xml?page=${page}`);
      const items = readFeed(await response.text());
      if (items.length === 0) break;
      for (const item of items) {
        const facts = readAdvisory(item);
        if (facts) read.set(facts.advisory, facts);
        else announcements += 1;
      }
    }
  });
  afterAll(() => upstream.stop());

  it('is read, and announcements are told apart', () => {
    expect([...read.keys()].sort()).toEqual([...recorded.keys()].sort());
    expect(announcements).toBe(1);
  });

  it('has every field as recorded', () => {
    const differences = [...recorded.values()].flatMap((advisory) => {
      const expected = expectedFacts(advisory);
      const found = read.get(advisory.id)!;
      return JSON.stringify(found, Object.keys(expected).sort()) ===
        JSON.stringify(expected, Object.keys(expected).sort())
        ? []
        : [{ expected, found }];
    });
    expect(differences).toEqual([]);
    expect(read.size).toBe(recorded.size);
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

  withReal(`${skipped}a page that Drupal.org itself wrote is read like the stand-in's`, () => {
    const items = readFeed(gunzipSync(readFileSync(join(REAL, realPage!))).toString('utf8'));
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

function expectedFacts(advisory: AdvisoryRecord): AdvisoryFacts {
  return {
    advisory: advisory.id,
    module: advisory.project,
    title: advisory.title,
    url: advisory.url,
    published_at: new Date(advisory.published).toISOString(),
    risk: (advisory.risk ? RISKS[advisory.risk] : null) as AdvisoryFacts['risk'],
    risk_score: advisory.score ?? null,
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
