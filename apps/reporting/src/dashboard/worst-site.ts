import type { dashboardOverview, RpcOutput } from '#libs/contracts';
import { riskOfRank } from '../site-summary/risk-rank.js';

/** A site with its open exposures, as the database gives it. */
export interface WorstSiteRow {
  site_uuid: string;
  name: string;
  open: number;
  since: Date;
  risk: number | null;
}

/** The same as the overview shows it. */
export function worstSite(row: WorstSiteRow): RpcOutput<typeof dashboardOverview>['worst_sites'][number] {
  return {
    id: row.site_uuid,
    name: row.name,
    open_exposures: row.open,
    exposed_since: row.since.toISOString(),
    worst_risk: riskOfRank(row.risk),
  };
}

/** A site as it ranks among those with open exposures. */
export interface RankedSite extends WorstSiteRow {
  site_id: number;
}

/** How many of them the overview names. */
export const WORST_SITES = 10;

/** SQL's order of the worst sites, by columns of `WorstSiteRow`; `worstOf` sorts alike. */
export const WORST_FIRST = 'open DESC, since, site_id';

/** The worst of a fleet from the worst of each of its parts. */
export function worstOf(parts: readonly (readonly RankedSite[])[]): RankedSite[] {
  return parts
    .flat()
    .sort((a, b) => b.open - a.open || a.since.getTime() - b.since.getTime() || a.site_id - b.site_id)
    .slice(0, WORST_SITES);
}
