import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { dashboardOverview, patchProgress, reportingProgress, RpcInput, RpcOutput, Scope } from '#libs/contracts';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../clock.js';
import type { Days } from '../reading/days-distribution.js';
import { ExposureFiguresRepository } from './exposure-figures.repository.js';
import { FleetRepository } from './fleet.repository.js';
import type { OpenCounts } from './open-counts.js';
import { RememberedAnswers } from './remembered-answers.js';
import { PatchProgressRepository, type PatchProgressInput } from './patch-progress.repository.js';

type Overview = RpcOutput<typeof dashboardOverview>;

/** What takes long to compute. */
interface Figures {
  readonly ages: Days;
  readonly byRisk: Record<string, number>;
  readonly month: { readonly opened: number; readonly closed: number };
  readonly timeToPatch: Days;
  readonly siteDays: number;
  readonly worstSites: Overview['worst_sites'];
  readonly latestAdvisories: Overview['latest_advisories'];
}

/** Answers how the fleet stands and stood, and how it was patched. */
@Injectable()
export class ReadDashboardService {
  private readonly figures = new RememberedAnswers<Figures>();
  private readonly modules = new RememberedAnswers<number>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly fleet: FleetRepository,
    private readonly exposures: ExposureFiguresRepository,
    private readonly patches: PatchProgressRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * All figures of one answer come from one snapshot. An instant that is not past counts as now. What takes long is remembered until
   * something in the scope has changed, and for a minute at most: within it, days do not change by a hundredth.
   */
  async overview({ scope, as_of }: RpcInput<typeof dashboardOverview>): Promise<Overview> {
    const now = this.clock.now();
    const asked = as_of === undefined ? now : new Date(as_of);
    return this.dataSource.transaction('REPEATABLE READ', (tx) =>
      asked < now ? this.overviewThen(tx, scope, asked) : this.overviewNow(tx, scope, now),
    );
  }

  private async overviewNow(tx: EntityManager, scope: Scope, now: Date): Promise<Overview> {
    const fleet = await this.fleet.now(tx, scope, now);
    const key = JSON.stringify(scope);
    const distinct = await this.modules.get(key, fleet.moduleStamp, now, () => this.fleet.distinctModules(tx, scope));
    const figures = await this.figures.get(key, fleet.exposureStamp, now, () => this.figuresAt(tx, scope, now, false));
    return overviewOf(now, { sites: fleet.sites, modules: { distinct, ...fleet.modules } }, fleet.open, figures);
  }

  private async overviewThen(tx: EntityManager, scope: Scope, then: Date): Promise<Overview> {
    const { sites, modules } = await this.fleet.asOf(tx, scope, then);
    const open = await this.exposures.countThen(tx, scope, then);
    const figures = await this.figuresAt(tx, scope, then, true);
    return overviewOf(then, { sites: { ...sites, exposed: open.exposedSites }, modules }, open, figures);
  }

  private async figuresAt(tx: EntityManager, scope: Scope, instant: Date, past: boolean): Promise<Figures> {
    return {
      ages: await this.exposures.ages(tx, scope, instant, past),
      byRisk: await this.exposures.openByRisk(tx, scope, instant, past),
      month: await this.exposures.lastMonth(tx, scope, instant),
      timeToPatch: await this.exposures.timeToPatch(tx, scope, instant),
      siteDays: await this.exposures.siteDaysExposed(tx, scope, instant),
      worstSites: past
        ? await this.exposures.worstSitesThen(tx, scope, instant)
        : await this.exposures.worstSitesNow(tx, scope),
      latestAdvisories: await this.exposures.latestAdvisories(tx, scope, instant),
    };
  }

  async progressOf(input: PatchProgressInput): Promise<RpcOutput<typeof patchProgress>> {
    const { ids, names } = await this.patches.advisories(input);
    return { advisories: names, ...(await this.patches.figures(input, ids)) };
  }

  caughtUp(input: RpcInput<typeof reportingProgress>): Promise<RpcOutput<typeof reportingProgress>> {
    return this.patches.progress(input.site_ids);
  }
}

function overviewOf(
  instant: Date,
  fleet: Pick<Overview, 'sites' | 'modules'>,
  open: OpenCounts,
  figures: Figures,
): Overview {
  return {
    as_of: instant.toISOString(),
    ...fleet,
    exposures: {
      open: open.open,
      open_by_risk: figures.byRisk,
      open_site_modules: open.openSiteModules,
      unknown: open.unknown,
      opened_last_30_days: figures.month.opened,
      closed_last_30_days: figures.month.closed,
      oldest_open_at: open.oldestOpenAt?.toISOString() ?? null,
      open_age_days: figures.ages,
    },
    time_to_patch_days: figures.timeToPatch,
    site_days_exposed_90: figures.siteDays,
    worst_sites: figures.worstSites,
    latest_advisories: figures.latestAdvisories,
  };
}
