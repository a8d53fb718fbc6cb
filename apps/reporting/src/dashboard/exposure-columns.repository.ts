import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { dashboardOverview, RpcOutput, Scope } from '#libs/contracts';
import { columnsOf, type ExposureColumns, type ExposureFact } from './exposure-columns.js';
import { chosenSites, SITE_PARTS } from '../reading/site-parts.js';
import { WORST_FIRST, WORST_SITES, type RankedSite } from './worst-site.js';

type Overview = RpcOutput<typeof dashboardOverview>;

/** An advisory as the overview names it. */
export interface AdvisoryWords {
  readonly advisoryId: number;
  readonly advisory: string;
  readonly module: string;
  readonly title: string;
  readonly risk: Overview['latest_advisories'][number]['risk'];
  readonly state: string;
  readonly publishedAt: Date;
}

/** What the figures of now rest on. */
@Injectable()
export class ExposureColumnsRepository {
  /** The exposures of some parts of the sites in scope, for figures of now. */
  async columns(tx: EntityManager, scope: Scope, parts: readonly number[]): Promise<Map<number, ExposureColumns>> {
    const where = chosenSites(scope, parts);
    const rows: {
      site_id: number;
      cause_id: number;
      opened: number;
      closed: number | null;
      state: string;
      reason: string | null;
    }[] = await tx.query(
      `SELECT e.site_id, e.cause_id, date_part('epoch', e.opened_at) * 1000 AS opened, date_part('epoch', e.closed_at) * 1000 AS closed,
              e.state, e.reason
       FROM exposures e
       WHERE e.retracted_at IS NULL AND e.site_id = ANY (ARRAY(SELECT s.site_id FROM sites s WHERE ${where.sql}))
       ORDER BY e.site_id, e.opened_at`,
      where.parameters,
    );
    const byPart = new Map<number, ExposureFact[]>(parts.map((part) => [part, []]));
    for (const { site_id, cause_id, opened, closed, state, reason } of rows) {
      byPart
        .get(site_id % SITE_PARTS)!
        .push({ siteId: site_id, causeId: cause_id, openedAt: opened, closedAt: closed, state, reason });
    }
    return new Map([...byPart].map(([part, facts]) => [part, columnsOf(facts)]));
  }

  /** Changes with every change of an advisory. */
  async advisoryStamp(tx: EntityManager): Promise<string> {
    const rows: { stamp: string }[] = await tx.query(
      `SELECT concat_ws(' ', count(*), sum(revision)) AS stamp FROM advisories`,
    );
    return rows[0]!.stamp;
  }

  /** What is said of advisories, the one published last first. */
  async advisories(tx: EntityManager, advisoryIds: readonly number[]): Promise<AdvisoryWords[]> {
    const rows: {
      advisory_id: number;
      advisory: string;
      module: string;
      title: string;
      risk: AdvisoryWords['risk'];
      state: string;
      published_at: Date;
    }[] = await tx.query(
      `SELECT a.advisory_id, a.advisory, m.module, a.title, a.risk, a.state, a.published_at
       FROM advisories a JOIN modules m USING (module_id) WHERE a.advisory_id = ANY ($1)
       ORDER BY a.published_at DESC, a.advisory_id DESC`,
      [advisoryIds],
    );
    return rows.map(({ advisory_id, published_at, ...words }) => ({
      ...words,
      advisoryId: advisory_id,
      publishedAt: published_at,
    }));
  }

  /** The sites with most open exposures now of each of some parts, from the summaries. */
  async worstSites(tx: EntityManager, scope: Scope, parts: readonly number[]): Promise<Map<number, RankedSite[]>> {
    const where = chosenSites(scope, parts).add('s.removed_at IS NULL').add('u.open_exposures > 0');
    const rows: RankedSite[] = await tx.query(
      `SELECT site_id, site_uuid, name, open, since, risk
       FROM (SELECT *, row_number() OVER (PARTITION BY site_id % ${SITE_PARTS} ORDER BY ${WORST_FIRST}) AS place
             FROM (SELECT site_id, s.site_uuid, s.name, u.open_exposures AS open, u.exposed_since AS since, u.worst_risk AS risk
                   FROM sites s JOIN site_summaries u USING (site_id)
                   WHERE ${where.sql}) exposed) ranked
       WHERE place <= ${WORST_SITES}`,
      where.parameters,
    );
    const byPart = new Map<number, RankedSite[]>(parts.map((part) => [part, []]));
    for (const row of rows) byPart.get(row.site_id % SITE_PARTS)!.push(row);
    return byPart;
  }
}
