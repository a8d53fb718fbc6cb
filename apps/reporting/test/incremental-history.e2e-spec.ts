import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { AdvisoryChanged, InventoryChanged, ModuleReleasesChanged, SiteChanged } from '#libs/contracts';
import { TableOutbox } from '#libs/outbox';
import { ExposureAnnouncementRepository } from '../src/exposure/exposure-announcement.repository.js';
import { ExposureRepository } from '../src/exposure/exposure.repository.js';
import { ReconcileExposuresService } from '../src/exposure/reconcile-exposures.service.js';
import { SiteFactsRepository } from '../src/inventory/site-facts.repository.js';
import { ModuleStandingRepository } from '../src/site-summary/module-standing.repository.js';
import { advisory, change, fourReleases, inventory, site } from './facts.js';
import { ReportingBox } from './reporting-box.js';
import { deliverBatch, empty, standing, type Fact } from './standing.js';

/** The same histories every time, so that the suite is as red or as green tomorrow; any other number tries others. */
const SEED = Number(process.env['PATCHWATCH_PROPERTY_SEED'] ?? 20_261_121);
const RUNS = Number(process.env['PATCHWATCH_PROPERTY_RUNS'] ?? 10);

const MODULES = ['alpha', 'beta'] as const;
const VERSIONS = ['8.x-1.0', '8.x-1.1', '8.x-1.2', '8.x-1.3', '8.x-1.x-dev', null, 'gone'] as const;
const HOUR = 3_600_000;
const at = (hour: number): string => new Date(Date.UTC(2026, 0, 1) + hour * HOUR).toISOString();
const LAST_HOUR = 60;

interface Late<T> {
  readonly fact: T;
  /** How many inventories later than its place it comes. */
  readonly by: number;
}

const stepOf = fc.record({
  // Often the same instant, sometimes a clock that was set back.
  hours: fc.constantFrom(0, 0, 1, 1, 1, 2, 5, -3),
  module: fc.constantFrom(...MODULES, 'alpha'),
  version: fc.constantFrom(...VERSIONS),
  by: fc.constantFrom(0, 0, 0, 0, 0, 1, 2, 4, 15),
});
const historyOf = (siteId: number): fc.Arbitrary<Late<InventoryChanged>[]> =>
  fc.array(stepOf, { minLength: 6, maxLength: 22 }).map((steps) => {
    let hour = 10;
    return steps.map(({ hours, module, version, by }, place) => {
      const before = hour;
      hour += hours;
      const fact = inventory(siteId, place + 1, at(hour), [change(module, version)], {
        previous_observed_at: place === 0 ? null : at(before),
      });
      return { fact, by };
    });
  });

const advisoriesOf: fc.Arbitrary<AdvisoryChanged[]> = fc
  .array(
    fc.record({
      module: fc.constantFrom(...MODULES),
      affected: fc.constantFrom('<1.1', '<1.2', '>=1.1 <1.3', '*'),
      hour: fc.integer({ min: 0, max: LAST_HOUR }),
      later: fc.constantFrom('nothing', 'retracted', 'wider' as const),
    }),
    { maxLength: 3 },
  )
  .map((list) =>
    list.flatMap(({ module, affected, hour, later }, index) => {
      const first = advisory(`SA-CONTRIB-2026-00${index}`, module, affected, at(hour));
      if (later === 'nothing') return [first];
      const more = later === 'wider' ? { affected: '<1.3' } : { state: 'retracted' as const };
      return [first, { ...first, ...more, revision: 2 }];
    }),
  );

const releasesOf: fc.Arbitrary<ModuleReleasesChanged[]> = fc
  .array(
    fc.record({
      module: fc.constantFrom(...MODULES),
      marked: fc.uniqueArray(fc.constantFrom('8.x-1.0', '8.x-1.1', '8.x-1.2'), { maxLength: 3 }),
      fixes: fc.uniqueArray(fc.constantFrom('8.x-1.1', '8.x-1.2', '8.x-1.3'), { maxLength: 2 }),
    }),
    { maxLength: 3 },
  )
  .map((list) =>
    list.map(({ module, marked, fixes }, index) =>
      fourReleases(module, at, { marked, fixes }, { revision: index + 1 }),
    ),
  );

/** Site 2 is there from the beginning; it may be removed, and come back. */
const removalsOf: fc.Arbitrary<SiteChanged[]> = fc
  .array(fc.option(fc.integer({ min: 5, max: LAST_HOUR })), { maxLength: 2 })
  .map((list) => list.map((hour, i) => site(2, { revision: 2 + i, removed_at: hour === null ? null : at(hour) })));

interface Tale {
  readonly inventories: InventoryChanged[];
  readonly others: (AdvisoryChanged | ModuleReleasesChanged | SiteChanged)[];
  readonly batches: Fact[][];
}

/** What two sites tell, nearly in order, in batches, and what the catalog and the registry tell meanwhile. */
const taleOf: fc.Arbitrary<Tale> = fc
  .record({
    histories: fc.tuple(historyOf(1), historyOf(2)),
    advisories: advisoriesOf,
    marks: releasesOf,
    removals: removalsOf,
    sizes: fc.array(fc.constantFrom(1, 1, 1, 2, 3, 6), { minLength: 50, maxLength: 50 }),
    places: fc.array(fc.nat({ max: 49 }), { minLength: 20, maxLength: 20 }),
  })
  .map(({ histories, advisories, marks, removals, sizes, places }) => {
    const arrivals = histories
      .flatMap((history) => history.map(({ fact, by }, place) => ({ fact, when: place + by })))
      .sort((a, b) => a.when - b.when)
      .map(({ fact }) => fact);
    const batches: Fact[][] = [];
    for (let start = 0; start < arrivals.length; start += batches.at(-1)!.length)
      batches.push(arrivals.slice(start, start + sizes[batches.length]!));
    const others = [...advisories, ...marks, ...removals];
    for (const [index, fact] of others.entries()) batches.splice(places[index]! % (batches.length + 1), 0, [fact]);
    return { inventories: histories.flat().map(({ fact }) => fact), others, batches };
  });

describe('a history that is stored as it comes', () => {
  let box: ReportingBox;
  let reconcile: ReconcileExposuresService;
  beforeAll(async () => {
    box = await ReportingBox.open();
    reconcile = new ReconcileExposuresService(
      new ExposureRepository(),
      new ExposureAnnouncementRepository(),
      new TableOutbox(box.clock),
      box.clock,
    );
  });
  afterAll(() => box?.close());

  async function begin(): Promise<void> {
    await empty(box);
    await box.register(site(1), site(2));
  }

  /** Derives everything from all facts. @returns the sites on which the record of exposures was not what follows. */
  function deriveAnew(): Promise<number[]> {
    return box.run(async (tx) => {
      const pairs: { site_id: number; module_id: number }[] = await tx.query(
        'SELECT DISTINCT site_id, module_id FROM site_facts ORDER BY site_id, module_id',
      );
      const first = { epoch: 0, sequence: 0 };
      await new SiteFactsRepository().deriveIntervals(
        tx,
        pairs.map((pair) => ({ siteId: pair.site_id, moduleId: pair.module_id, ...first })),
      );
      await new ModuleStandingRepository().recountModules(tx, [1, 2]);
      return reconcile.reconcile(tx, {
        siteIds: pairs.map((pair) => pair.site_id),
        moduleIds: pairs.map((pair) => pair.module_id),
        causeIds: null,
      });
    });
  }

  it('stands after every batch as all its facts together say', async () => {
    await fc.assert(
      fc.asyncProperty(taleOf, async ({ batches }) => {
        await begin();
        for (const batch of batches) {
          await deliverBatch(box, batch);
          const stood = await standing(box);
          expect(await deriveAnew()).toEqual([]);
          expect(await standing(box)).toEqual(stood);
        }
      }),
      { numRuns: RUNS, seed: SEED },
    );
  }, 300_000);

  it('ends as if it had come at once', async () => {
    await fc.assert(
      fc.asyncProperty(taleOf, async ({ inventories, others, batches }) => {
        await begin();
        for (const batch of batches) await deliverBatch(box, batch);
        const stood = await standing(box);
        await begin();
        for (const fact of others) await deliverBatch(box, [fact]);
        await deliverBatch(box, inventories);
        expect(stood).toEqual(await standing(box));
      }),
      { numRuns: RUNS, seed: SEED + 1 },
    );
  }, 300_000);

  /** What site 1 tells of alpha: sequence, hour and version, a batch each. */
  async function tell(...facts: readonly (readonly [number, number, string])[]): Promise<unknown> {
    await begin();
    await deliverBatch(box, [advisory('SA-CONTRIB-2026-000', 'alpha', '<1.2', at(0))]);
    for (const [sequence, hour, version] of facts)
      await deliverBatch(box, [inventory(1, sequence, at(hour), [change('alpha', version)])]);
    expect(await deriveAnew()).toEqual([]);
    return box.query(
      `SELECT opened_at, state, closed_at FROM exposures WHERE retracted_at IS NULL AND cause_id <> 0 ORDER BY opened_at`,
    );
  }

  it('closes what went on over a safe version that gets its extent from a late fact', async () => {
    const exposures = await tell([1, 5, '8.x-1.0'], [2, 10, '8.x-1.3'], [4, 10, '8.x-1.0'], [3, 20, '8.x-1.1']);
    expect(exposures).toMatchObject([
      { opened_at: new Date(at(5)), state: 'closed', closed_at: new Date(at(10)) },
      { opened_at: new Date(at(20)), state: 'open' },
    ]);
  });

  it('goes on with what stood before versions that nobody can judge', async () => {
    const dev = '8.x-1.x-dev';
    const exposures = await tell([1, 5, '8.x-1.0'], [2, 10, dev], [3, 11, dev], [4, 12, '8.x-1.1'], [5, 13, '8.x-1.0']);
    expect(exposures).toMatchObject([{ opened_at: new Date(at(5)), state: 'open', closed_at: null }]);
  });
});
