import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { dashboardOverview, RpcInput, RpcOutput, Scope } from '#libs/contracts';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../clock.js';
import { RISKS_ASCENDING } from '../site-summary/risk-rank.js';
import type { Days } from '../reading/days-distribution.js';
import { RememberedParts, type SitePart } from '../reading/remembered-parts.js';
import type { ExposureColumns } from './exposure-columns.js';
import { ExposureColumnsRepository, type AdvisoryWords } from './exposure-columns.repository.js';
import { exposureFigures, NO_RISK, sitesByCause } from './exposure-figures.js';
import { ExposureFiguresRepository } from './exposure-figures.repository.js';
import { FleetRepository } from './fleet.repository.js';
import type { OpenCounts } from './open-counts.js';
import { RememberedAnswers } from './remembered-answers.js';
import { worstOf, worstSite, type RankedSite } from './worst-site.js';

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

/** What the figures of now rest on. */
interface Moment {
  readonly now: Date;
  readonly advisoryStamp: string;
  readonly exposed: readonly SitePart[];
}

/** Answers how the fleet stands and stood. */
@Injectable()
export class ReadDashboardService {
  private readonly columns = new RememberedParts<ExposureColumns>();
  private readonly worst = new RememberedParts<readonly RankedSite[]>();
  private readonly modules = new RememberedParts<Int32Array>();
  private readonly advisories = new RememberedAnswers<readonly AdvisoryWords[]>();
  private readonly figures = new RememberedAnswers<Figures>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly fleet: FleetRepository,
    private readonly exposures: ExposureFiguresRepository,
    private readonly current: ExposureColumnsRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * All figures of one answer come from one snapshot. An instant that is not past counts as now. For now the exposures are remembered in
   * columns and those of changed sites read anew; what they come to is good until something changes, and for half a minute at most, in which
   * days do not change by a hundredth. For the past the database computes.
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
    const modules = await this.modules.get(key, fleet.installed, (changed) => this.fleet.modules(tx, scope, changed));
    const advisoryStamp = await this.current.advisoryStamp(tx);
    const stamp = `${advisoryStamp} ${fleet.exposed.map((part) => part.stamp).join(' ')}`;
    const figures = await this.figures.get(key, stamp, now, () =>
      this.figuresNow(tx, scope, { now, advisoryStamp, exposed: fleet.exposed }),
    );
    const distinct = countDistinct(modules);
    return overviewOf(now, { sites: fleet.sites, modules: { distinct, ...fleet.modules } }, fleet.open, figures);
  }

  private async overviewThen(tx: EntityManager, scope: Scope, then: Date): Promise<Overview> {
    const { sites, modules } = await this.fleet.asOf(tx, scope, then);
    const open = await this.exposures.countThen(tx, scope, then);
    const figures = await this.figuresThen(tx, scope, then);
    return overviewOf(then, { sites: { ...sites, exposed: open.exposedSites }, modules }, open, figures);
  }

  private async figuresNow(tx: EntityManager, scope: Scope, { now, advisoryStamp, exposed }: Moment): Promise<Figures> {
    const key = JSON.stringify(scope);
    const exposures = await this.columns.get(key, exposed, (parts) => this.current.columns(tx, scope, parts));
    const worst = await this.worst.get(key, exposed, (parts) => this.current.worstSites(tx, scope, parts));
    const figures = exposureFigures(exposures, now);
    const causes = [...figures.openByCause.keys()];
    const advisories = await this.advisories.get(key, `${advisoryStamp} ${causes.join(' ')}`, now, () =>
      this.current.advisories(tx, causes),
    );
    const latest = advisories
      .filter(({ state, publishedAt }) => state === 'published' && publishedAt <= now)
      .slice(0, 10);
    const sites = sitesByCause(
      exposures,
      latest.map(({ advisoryId }) => advisoryId),
      now,
    );
    return {
      ages: figures.ages,
      byRisk: openByRisk(figures.openByCause, advisories),
      month: { opened: figures.openedLastMonth, closed: figures.closedLastMonth },
      timeToPatch: figures.timeToPatch,
      siteDays: figures.siteDays,
      worstSites: worstOf(worst).map(worstSite),
      latestAdvisories: latest.map(({ advisoryId, advisory, module, title, risk, publishedAt }) => ({
        ...{ advisory, module, title, risk, published_at: publishedAt.toISOString() },
        sites_exposed: sites.get(advisoryId)!.exposed,
        sites_patched: sites.get(advisoryId)!.patched,
      })),
    };
  }

  private async figuresThen(tx: EntityManager, scope: Scope, then: Date): Promise<Figures> {
    return {
      ages: await this.exposures.agesThen(tx, scope, then),
      byRisk: await this.exposures.openByRiskThen(tx, scope, then),
      month: await this.exposures.lastMonth(tx, scope, then),
      timeToPatch: await this.exposures.timeToPatch(tx, scope, then),
      siteDays: await this.exposures.siteDaysExposed(tx, scope, then),
      worstSites: await this.exposures.worstSitesThen(tx, scope, then),
      latestAdvisories: await this.exposures.latestAdvisories(tx, scope, then),
    };
  }
}

function countDistinct(parts: readonly Int32Array[]): number {
  const all = new Set<number>();
  for (const part of parts) for (const id of part) all.add(id);
  return all.size;
}

/** Open exposures by risk, the greatest first; those of no advisory and of advisories without a risk are `unrated`. */
function openByRisk(
  openByCause: ReadonlyMap<number, number>,
  advisories: readonly AdvisoryWords[],
): Record<string, number> {
  const riskOf = new Map(advisories.map(({ advisoryId, risk }) => [advisoryId, risk]));
  const counts = new Map<string, number>();
  for (const [cause, open] of openByCause) {
    const risk = riskOf.get(cause) ?? NO_RISK;
    counts.set(risk, (counts.get(risk) ?? 0) + open);
  }
  const order = [...RISKS_ASCENDING].reverse().concat(NO_RISK as never);
  return Object.fromEntries(order.flatMap((risk) => (counts.has(risk) ? [[risk, counts.get(risk)!]] : [])));
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
