import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { joinedContacts, type ContactSpan } from './contact-spans.js';
import { ModuleStandingRepository, type ChangedSiteModules, type SiteModules } from './module-standing.repository.js';
import { SiteContactRepository } from './site-contact.repository.js';
import {
  SiteSummaryRepository,
  type HeardSite,
  type ReportedSite,
  type SummarizedInventory,
} from './site-summary.repository.js';

/** Keeps the one row a site from which lists and dashboards are answered. */
@Injectable()
export class SummarizeSitesService {
  constructor(
    private readonly summaries: SiteSummaryRepository,
    private readonly standings: ModuleStandingRepository,
    private readonly contacts: SiteContactRepository,
  ) {}

  /** Locks the sites' summaries (ascending) until the transaction ends. Returns organizations by site as far as known. */
  lock(tx: EntityManager, sites: readonly ReportedSite[]): Promise<Map<number, number>> {
    return this.summaries.lock(tx, sites);
  }

  /**
   * After what sites run has changed. The counts of a site move by the difference that the changed modules make, so that nothing else
   * of it is read. The caller holds the sites' summaries and shares the modules' locks.
   * @param exposureSites sites whose exposures changed
   */
  async afterInventory(
    tx: EntityManager,
    inventories: readonly SummarizedInventory[],
    heard: readonly HeardSite[],
    changed: ChangedSiteModules,
    exposureSites: readonly number[],
  ): Promise<void> {
    await this.summaries.takeInventories(tx, inventories);
    await this.summaries.takeHearings(tx, heard);
    await this.takeContacts(tx, [
      ...inventories.flatMap(({ siteId, observedAt, previousObservedAt }) => [
        word(siteId, observedAt),
        ...(previousObservedAt === null ? [] : [word(siteId, previousObservedAt)]),
      ]),
      ...heard.map(({ siteId, observedAt }) => word(siteId, observedAt)),
    ]);
    if (changed.siteIds.length === 0) return;
    await this.standings.addDifferences(tx, await this.standings.restandPairs(tx, changed));
    if (exposureSites.length > 0) await this.summaries.recountExposures(tx, exposureSites);
  }

  private async takeContacts(tx: EntityManager, words: readonly ContactSpan[]): Promise<void> {
    if (words.length === 0) return;
    const near = await this.contacts.takeOut(tx, words);
    await this.contacts.putIn(tx, joinedContacts([...near, ...words]));
  }

  /**
   * After what is known of modules has changed. Half a million rows need not be counted anew because of one module: the counts
   * move by the difference. The caller has the modules' locks alone and holds no summary.
   * @param exposureSites sites whose exposures changed
   * @param riskChanged advisories whose risk may have changed
   */
  async afterCatalog(
    tx: EntityManager,
    moduleIds: readonly number[],
    exposureSites: readonly number[],
    riskChanged: readonly number[],
  ): Promise<void> {
    const differences = await this.standings.restandModules(tx, moduleIds);
    const exposed = new Set([...exposureSites, ...(await this.summaries.exposedTo(tx, riskChanged))]);
    const touched = [...new Set([...exposed, ...differences.map(({ siteId }) => siteId)])];
    if (touched.length === 0) return;
    await this.summaries.lockKnown(tx, touched);
    await this.standings.addDifferences(tx, differences);
    if (exposed.size > 0) await this.summaries.recountExposures(tx, [...exposed]);
  }

  /**
   * After sites as a whole have changed: all that they run or ran. Counts everything anew. The caller holds their summaries and shares all
   * modules' locks.
   */
  async afterSites(tx: EntityManager, pairs: SiteModules): Promise<void> {
    const siteIds = [...new Set(pairs.siteIds)];
    await this.standings.restandPairs(tx, { ...pairs, standingsBefore: pairs.siteIds.map(() => null) });
    await this.standings.recountModules(tx, siteIds);
    await this.summaries.recountExposures(tx, siteIds);
  }
}

/** One word of a site at an instant (RFC 3339). */
function word(siteId: number, at: string): ContactSpan {
  return { siteId, from: new Date(at), until: new Date(at) };
}
