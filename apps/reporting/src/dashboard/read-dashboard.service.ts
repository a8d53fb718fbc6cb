import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { dashboardOverview, patchProgress, reportingProgress, RpcInput, RpcOutput } from '#libs/contracts';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../clock.js';
import { ExposureFiguresRepository } from './exposure-figures.repository.js';
import { FleetRepository } from './fleet.repository.js';
import { PatchProgressRepository, type PatchProgressInput } from './patch-progress.repository.js';

/** Answers how the fleet stands and stood, and how it was patched. */
@Injectable()
export class ReadDashboardService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly fleet: FleetRepository,
    private readonly exposures: ExposureFiguresRepository,
    private readonly patches: PatchProgressRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** All figures of one answer come from one snapshot. An instant that is not past counts as now. */
  async overview({ scope, as_of }: RpcInput<typeof dashboardOverview>): Promise<RpcOutput<typeof dashboardOverview>> {
    const now = this.clock.now();
    const asked = as_of === undefined ? now : new Date(as_of);
    const past = asked < now;
    const instant = past ? asked : now;
    return this.dataSource.transaction('REPEATABLE READ', async (tx: EntityManager) => {
      const fleet = past ? await this.fleet.asOf(tx, scope, instant) : await this.fleet.now(tx, scope, instant);
      const open = await this.exposures.open(tx, scope, instant, past);
      const month = await this.exposures.lastMonth(tx, scope, instant);
      return {
        as_of: instant.toISOString(),
        sites: { ...fleet.sites, exposed: open.exposedSites },
        modules: fleet.modules,
        exposures: {
          open: open.open,
          open_by_risk: await this.exposures.openByRisk(tx, scope, instant, past),
          open_site_modules: open.openSiteModules,
          unknown: open.unknown,
          opened_last_30_days: month.opened,
          closed_last_30_days: month.closed,
          oldest_open_at: open.oldestOpenAt?.toISOString() ?? null,
          open_age_days: open.ages,
        },
        time_to_patch_days: await this.exposures.timeToPatch(tx, scope, instant),
        site_days_exposed_90: await this.exposures.siteDaysExposed(tx, scope, instant),
        worst_sites: await this.exposures.worstSites(tx, scope, instant, past),
        latest_advisories: await this.exposures.latestAdvisories(tx, scope, instant),
      };
    });
  }

  async progressOf(input: PatchProgressInput): Promise<RpcOutput<typeof patchProgress>> {
    const { ids, names } = await this.patches.advisories(input);
    return { advisories: names, ...(await this.patches.figures(input, ids)) };
  }

  caughtUp(input: RpcInput<typeof reportingProgress>): Promise<RpcOutput<typeof reportingProgress>> {
    return this.patches.progress(input.site_ids);
  }
}
