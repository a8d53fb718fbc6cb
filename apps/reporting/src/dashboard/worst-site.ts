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
