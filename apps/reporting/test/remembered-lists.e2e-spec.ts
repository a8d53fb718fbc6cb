import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Scope } from '#libs/contracts';
import { AdvisoryFactsRepository } from '../src/advisory/advisory-facts.repository.js';
import { ListAdvisoriesService } from '../src/advisory/list-advisories.service.js';
import { ExposureColumnsRepository } from '../src/dashboard/exposure-columns.repository.js';
import { ExposureFiguresRepository } from '../src/dashboard/exposure-figures.repository.js';
import { FleetRepository } from '../src/dashboard/fleet.repository.js';
import { ReadDashboardService } from '../src/dashboard/read-dashboard.service.js';
import { FleetCountsRepository } from '../src/fleet-counts/fleet-counts.repository.js';
import { FleetCountsService } from '../src/fleet-counts/fleet-counts.service.js';
import { ModuleHistoryRepository } from '../src/module-history/module-history.repository.js';
import { ModuleHistoryService } from '../src/module-history/module-history.service.js';
import { CountModulesService } from '../src/module-list/count-modules.service.js';
import { KnownModulesRepository } from '../src/module-list/known-modules.repository.js';
import { KnownModulesService } from '../src/module-list/known-modules.service.js';
import { ListModulesService } from '../src/module-list/list-modules.service.js';
import { OwnModuleRepository } from '../src/own-module/own-module.repository.js';
import { OwnModulesService } from '../src/own-module/own-modules.service.js';
import { advisory, change, inventory, organization, releases, site } from './facts.js';
import { ReportingBox } from './reporting-box.js';

const SCOPES: readonly Scope[] = [{ organization_ids: null }, { organization_ids: [1] }, { organization_ids: [2] }];
const MODULES = ['alpha', 'beta', 'gamma'] as const;
const VERSIONS = ['8.x-1.0', '8.x-1.1', '8.x-1.2', '8.x-1.x-dev', null, 'gone'] as const;
const SITES = 4;

const stepOf = fc.oneof(
  fc.record({
    kind: fc.constant('push' as const),
    site: fc.integer({ min: 1, max: SITES }),
    module: fc.constantFrom(...MODULES),
    version: fc.constantFrom(...VERSIONS),
  }),
  fc.record({
    kind: fc.constant('advisory' as const),
    module: fc.constantFrom(...MODULES),
    affected: fc.constantFrom('<1.1', '<1.2', null),
    state: fc.constantFrom('published' as const, 'retracted' as const),
  }),
  fc.record({
    kind: fc.constant('releases' as const),
    module: fc.constantFrom(...MODULES),
    marked: fc.subarray(['8.x-1.0', '8.x-1.1']),
    listed: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('site' as const),
    site: fc.integer({ min: 1, max: SITES }),
    organization: fc.integer({ min: 1, max: 2 }),
    removed: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('own' as const),
    module: fc.constantFrom(...MODULES),
    organization: fc.integer({ min: 1, max: 2 }),
    newest: fc.constantFrom('8.x-1.1', '8.x-1.2', null),
  }),
);
type Step = typeof stepOf extends fc.Arbitrary<infer T> ? T : never;

describe('lists and figures that remember what they counted', () => {
  let box: ReportingBox;
  let clock = 0;
  beforeAll(async () => {
    box = await ReportingBox.open();
    await box.register(organization(1), organization(2));
    for (let id = 1; id <= SITES; id++) await box.register(site(id, { organization_id: (id % 2) + 1 }));
  });
  afterAll(() => box?.close());

  async function take(step: Step): Promise<void> {
    const number = ++clock;
    const at = new Date(Date.UTC(2026, 0, 1) + number * 60_000).toISOString();
    switch (step.kind) {
      case 'push':
        return box.push(inventory(step.site, number, at, [change(step.module, step.version)]));
      case 'advisory':
        return box.tell(
          advisory(`SA-${step.module}`, step.module, step.affected, at, { revision: number, state: step.state }),
        );
      case 'site':
        return box.register(
          site(step.site, {
            ...{ organization_id: step.organization, revision: number, removed_at: step.removed ? at : null },
          }),
        );
      case 'own':
        return box.tell({
          ...{ organization_id: step.organization, organization_uuid: '00000000-0000-7000-8000-000000000001' },
          ...{ module: step.module, revision: number, known_at: at },
          history: step.newest === null ? null : historyOf(step.module, [step.newest, '8.x-1.0'], ['8.x-1.0']),
        });
      case 'releases': {
        const told = releases(step.module, '8.x-1.', [], { revision: number });
        return box.tell(
          step.listed
            ? { ...told, history: historyOf(step.module, ['8.x-1.2', '8.x-1.1', '8.x-1.0'], step.marked) }
            : { ...told, outcome: 'not_found', history: null },
        );
      }
    }
  }

  function historyOf(module: string, versions: readonly string[], marked: readonly string[]) {
    const list = versions.map((version) => ({
      ...{ version, date: '2026-01-01', terms: marked.includes(version) ? ['Insecure'] : ['Security update'] },
    }));
    return releases(module, '8.x-1.', list).history;
  }

  /** The same by services that remember nothing. */
  function afresh(): {
    modules: ListModulesService;
    advisories: ListAdvisoriesService;
    dashboard: ReadDashboardService;
  } {
    const fleet = new FleetCountsService(new FleetCountsRepository());
    const own = new OwnModulesService(new OwnModuleRepository());
    const histories = new ModuleHistoryService(new ModuleHistoryRepository());
    const known = new KnownModulesService(new KnownModulesRepository());
    return {
      modules: new ListModulesService(box.dataSource, new CountModulesService(fleet, known, own), histories, box.clock),
      advisories: new ListAdvisoriesService(box.dataSource, new AdvisoryFactsRepository(), fleet, box.clock),
      dashboard: new ReadDashboardService(
        box.dataSource,
        new FleetRepository(),
        new ExposureFiguresRepository(),
        new ExposureColumnsRepository(),
        box.clock,
      ),
    };
  }

  it('answer after every change as if they had counted anew', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(stepOf, { minLength: 1, maxLength: 10 }), async (steps) => {
        for (const step of steps) {
          await take(step);
          const { modules, advisories, dashboard } = afresh();
          for (const scope of SCOPES) {
            const asked = { scope, page: 1, per_page: 100 };
            expect(await box.moduleList.list(asked)).toEqual(await modules.list(asked));
            expect(await box.advisories.list(asked)).toEqual(await advisories.list(asked));
            expect(await box.dashboard.overview({ scope })).toEqual(await dashboard.overview({ scope }));
            const open = await box.exposures.list({ ...asked, state: ['open'] });
            expect(open.meta.total).toBe(open.items.length);
          }
        }
      }),
      { numRuns: Number(process.env['PATCHWATCH_PROPERTY_RUNS'] ?? 10) },
    );
  }, 300_000);

  it('count each site under its module exactly as the sites themselves do', async () => {
    await take({ kind: 'releases', module: 'alpha', marked: ['8.x-1.0'], listed: true });
    await take({ kind: 'releases', module: 'beta', marked: [], listed: false });
    await take({ kind: 'own', module: 'beta', organization: 1, newest: '8.x-1.1' });
    for (let id = 1; id <= SITES; id++) {
      await take({ kind: 'site', site: id, organization: (id % 2) + 1, removed: false });
      await take({ kind: 'push', site: id, module: 'alpha', version: '8.x-1.0' });
      await take({ kind: 'push', site: id, module: 'beta', version: '8.x-1.0' });
    }
    for (const scope of SCOPES) {
      const { items } = await box.moduleList.list({ scope, page: 1, per_page: 100, installed: true });
      const sites = await box.sites.list({ scope, page: 1, per_page: 100 });
      expect(items.length).toBeGreaterThan(1);
      const sum = (pick: (item: (typeof items)[number]) => number) => items.reduce((all, item) => all + pick(item), 0);
      const ofSites = (pick: (item: (typeof sites.items)[number]) => number) =>
        sites.items.reduce((all, item) => all + pick(item), 0);
      expect([
        sum((m) => m.sites),
        sum((m) => m.security_updates),
        sum((m) => m.updates),
        sum((m) => m.unknown),
      ]).toEqual([
        ...[ofSites((s) => s.modules), ofSites((s) => s.security_updates), ofSites((s) => s.updates)],
        ofSites((s) => s.unknown),
      ]);
    }
  });
});
