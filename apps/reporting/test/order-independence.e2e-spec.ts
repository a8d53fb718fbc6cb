import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { AdvisoryChanged, InventoryChanged, ModuleReleasesChanged, SiteChanged } from '#libs/contracts';
import { exposureEpisodes, type Episode, type InstalledInterval } from '../src/exposure/exposure-episode.js';
import { advisory, change, fourReleases, inventory, site } from './facts.js';
import { ReportingBox } from './reporting-box.js';
import { deliverBatch, empty, standing, type Fact } from './standing.js';

const MODULES = ['alpha', 'beta'] as const;
const VERSIONS = ['8.x-1.0', '8.x-1.1', '8.x-1.2', '8.x-1.3', '8.x-1.x-dev', null, 'gone'] as const;
const DAY = 86_400_000;
const at = (day: number): string => new Date(Date.UTC(2026, 0, 1) + day * DAY).toISOString();

/** A small world: what two sites ran of two modules, what was unsafe of them, and when the second site was removed. */
interface World {
  readonly inventories: InventoryChanged[];
  readonly catalog: (AdvisoryChanged | ModuleReleasesChanged)[];
  readonly sites: SiteChanged[];
}

const stepOf = fc.record({
  day: fc.integer({ min: 0, max: 60 }),
  module: fc.constantFrom(...MODULES),
  version: fc.constantFrom(...VERSIONS),
});
const advisoryOf = fc.record({
  module: fc.constantFrom(...MODULES),
  affected: fc.constantFrom('<1.1', '<1.2', '>=1.1 <1.3', '*'),
  day: fc.integer({ min: 0, max: 60 }),
  /** What became of it; `moved`: it turned out to be about the other module. */
  later: fc.constantFrom('nothing', 'retracted', 'moved' as const),
});
const worldOf: fc.Arbitrary<World> = fc
  .record({
    steps: fc.tuple(fc.array(stepOf, { maxLength: 8 }), fc.array(stepOf, { maxLength: 8 })),
    advisories: fc.array(advisoryOf, { maxLength: 3 }),
    marked: fc.uniqueArray(fc.constantFrom('8.x-1.0', '8.x-1.1', '8.x-1.2'), { maxLength: 3 }),
    fixes: fc.uniqueArray(fc.constantFrom('8.x-1.1', '8.x-1.2', '8.x-1.3'), { maxLength: 3 }),
    removedOn: fc.option(fc.integer({ min: 10, max: 70 })),
  })
  .map(({ steps, advisories, marked, fixes, removedOn }) => ({
    inventories: steps.flatMap((list, index) =>
      [...list]
        .sort((a, b) => a.day - b.day)
        .map((step, place, ordered) =>
          inventory(index + 1, place + 1, at(step.day), [change(step.module, step.version)], {
            previous_observed_at: place === 0 ? null : at(ordered[place - 1]!.day),
          }),
        ),
    ),
    catalog: [
      ...advisories.flatMap(({ module, affected, day, later }, index) => {
        const published = advisory(`SA-CONTRIB-2026-00${index}`, module, affected, at(day));
        const other = MODULES.find((name) => name !== module)!;
        return [
          published,
          ...(later === 'retracted' ? [{ ...published, revision: 2, state: 'retracted' as const }] : []),
          ...(later === 'moved' ? [{ ...published, revision: 2, module: other }] : []),
        ];
      }),
      ...MODULES.map((module) => fourReleases(module, at, { marked, fixes })),
    ],
    sites: [site(1), site(2), ...(removedOn === null ? [] : [site(2, { revision: 2, removed_at: at(removedOn) })])],
  }));

/** The world's facts in some order, some of them twice, cut into batches. */
const deliveryOf = (world: World): fc.Arbitrary<Fact[][]> => {
  const facts: Fact[] = [...world.inventories, ...world.catalog, ...world.sites];
  return fc
    .tuple(
      fc.shuffledSubarray(facts, { minLength: facts.length, maxLength: facts.length }),
      fc.subarray(facts),
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 40, maxLength: 40 }),
    )
    .map(([shuffled, again, sizes]) => {
      const all = [...shuffled, ...again];
      const batches: Fact[][] = [];
      for (let start = 0, index = 0; start < all.length; start += sizes[index++ % sizes.length]!) {
        batches.push(all.slice(start, start + sizes[index % sizes.length]!));
      }
      return batches;
    });
};

describe('facts in any order', () => {
  let box: ReportingBox;
  beforeAll(async () => {
    box = await ReportingBox.open();
  });
  afterAll(() => box?.close());
  beforeEach(() => empty(box));

  async function deliver(batches: readonly Fact[][]): Promise<void> {
    for (const batch of batches) await deliverBatch(box, batch);
  }

  it('end in the same exposures, intervals, summaries and contacts', async () => {
    const cases = worldOf.chain((world) => fc.tuple(fc.constant(world), deliveryOf(world)));
    await fc.assert(
      fc.asyncProperty(cases, async ([world, batches]) => {
        await empty(box);
        await deliver([world.sites, world.catalog, world.inventories]);
        const expected = await standing(box);
        await empty(box);
        await deliver(batches);
        expect(await standing(box)).toEqual(expected);
      }),
      { numRuns: Number(process.env['PATCHWATCH_PROPERTY_RUNS'] ?? 25) },
    );
  }, 300_000);

  it('end in the same also when they come at the same time, and no transaction waits in a circle', async () => {
    const cases = worldOf.chain((world) => fc.tuple(fc.constant(world), deliveryOf(world)));
    await fc.assert(
      fc.asyncProperty(cases, async ([world, batches]) => {
        await empty(box);
        await deliver([world.sites, world.catalog, world.inventories]);
        const expected = await standing(box);
        await empty(box);
        const outcomes = await Promise.allSettled(batches.map((batch) => deliverBatch(box, batch)));
        expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
        expect(await standing(box)).toEqual(expected);
      }),
      { numRuns: Number(process.env['PATCHWATCH_PROPERTY_RUNS'] ?? 25) },
    );
  }, 300_000);

  it('give the episodes that the domain says, cause by cause', async () => {
    await fc.assert(
      fc.asyncProperty(worldOf, async (world) => {
        await empty(box);
        await deliver([world.inventories, world.catalog, world.sites]);
        const removed = await box.query<{ site_id: number; removed_at: Date | null }>(
          'SELECT site_id, removed_at FROM sites',
        );
        const removedAt = new Map(removed.map((row) => [row.site_id, row.removed_at]));
        expect(await recordedEpisodes()).toEqual(
          (await judgedHistories()).flatMap(({ siteId, module, causeId, intervals }) =>
            exposureEpisodes(intervals, removedAt.get(siteId) ?? null).map((episode) => ({
              siteId,
              module,
              causeId,
              ...episode,
            })),
          ),
        );
      }),
      { numRuns: Number(process.env['PATCHWATCH_PROPERTY_RUNS'] ?? 25) },
    );
  }, 300_000);

  /** Every pair of site and module under every cause, read row by row: nothing of the SQL under test is used. */
  async function judgedHistories(): Promise<
    { siteId: number; module: string; causeId: number; intervals: InstalledInterval[] }[]
  > {
    const rows = await box.query<{
      site_id: number;
      module: string;
      cause_id: number;
      version_id: number | null;
      version: string | null;
      valid_from: Date;
      valid_to: Date | null;
      previous_observed_at: Date | null;
      verdict: 'affected' | 'unknown' | null;
      unsafe_from: Date | null;
    }>(
      `SELECT i.site_id, m.module, c.cause_id, i.version_id, s.version, i.valid_from, i.valid_to, i.previous_observed_at, v.verdict,
              v.unsafe_from
       FROM site_modules i
       JOIN modules m USING (module_id)
       CROSS JOIN (SELECT 0 AS cause_id UNION SELECT advisory_id FROM advisories) c
       LEFT JOIN version_statuses s USING (version_id)
       LEFT JOIN vulnerable_versions v ON v.version_id = i.version_id AND v.cause_id = c.cause_id
       ORDER BY i.site_id, m.module, c.cause_id, i.epoch, i.sequence`,
    );
    const histories = new Map<
      string,
      { siteId: number; module: string; causeId: number; intervals: InstalledInterval[] }
    >();
    for (const row of rows) {
      const key = `${row.site_id} ${row.module} ${row.cause_id}`;
      const history = histories.get(key) ?? {
        siteId: row.site_id,
        module: row.module,
        causeId: row.cause_id,
        intervals: [],
      };
      history.intervals.push({
        from: row.valid_from,
        to: row.valid_to,
        verdict: row.version_id === null ? 'absent' : (row.verdict ?? 'unaffected'),
        version: row.version,
        unsafeFrom: row.unsafe_from,
        previousObservedAt: row.previous_observed_at,
      });
      histories.set(key, history);
    }
    return [...histories.values()];
  }

  async function recordedEpisodes(): Promise<({ siteId: number; module: string; causeId: number } & Episode)[]> {
    const rows = await box.query<Record<string, never>>(
      `SELECT e.*, m.module FROM exposures e JOIN modules m USING (module_id)
       WHERE e.retracted_at IS NULL ORDER BY e.site_id, m.module, e.cause_id, e.opened_at`,
    );
    return rows.map((row) => ({
      siteId: row['site_id']!,
      module: row['module']!,
      causeId: row['cause_id']!,
      openedAt: row['opened_at']!,
      publishedAt: row['published_at']!,
      version: row['installed_version'] ?? null,
      state: row['state']!,
      unknownSince: row['unknown_since'] ?? null,
      closedAt: row['closed_at'] ?? null,
      closedAfter: row['closed_after'] ?? null,
      reason: row['reason'] ?? null,
      closedVersion: row['closed_version'] ?? null,
    }));
  }
});
