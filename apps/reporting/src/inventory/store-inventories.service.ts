import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { InventoryChanged, SitesHeard } from '#libs/contracts';
import { AssessmentLockService } from '../assessment-lock/assessment-lock.service.js';
import { ReconcileExposuresService } from '../exposure/reconcile-exposures.service.js';
import { SummarizeSitesService } from '../site-summary/summarize-sites.service.js';
import { JudgeVersionsService, type ReportedVersion } from '../version-status/judge-versions.service.js';
import { SiteFactsRepository, type FactRow, type InventoryKey, type InventoryRow } from './site-facts.repository.js';

type HeardSite = SitesHeard['sites'][number];

/**
 * Takes over what sites run, a batch at a time: stores the facts, derives the intervals of what they touch, judges versions not
 * seen before, brings exposures and summaries in step. Facts that were stored before change nothing. What it costs depends on what is new,
 * not on how much a site has reported before (`npm run bench -- history`).
 */
@Injectable()
export class StoreInventoriesService {
  constructor(
    private readonly locks: AssessmentLockService,
    private readonly versions: JudgeVersionsService,
    private readonly facts: SiteFactsRepository,
    private readonly exposures: ReconcileExposuresService,
    private readonly summaries: SummarizeSitesService,
  ) {}

  /**
   * Takes all that `store` will need of what it shares with others, in the order that everybody keeps: for whoever must look at the sites first.
   */
  async prepare(tx: EntityManager, delivered: readonly InventoryChanged[], heard: readonly HeardSite[]): Promise<void> {
    await this.locks.shareAllModules(tx);
    await this.versions.identifyReported(
      tx,
      delivered.flatMap(({ changes }) => changes.map(reportedVersion)),
    );
    await this.summaries.lock(
      tx,
      heard.map((site) => ({ siteId: site.site_id, organizationId: site.organization_id })),
    );
  }

  async store(tx: EntityManager, delivered: readonly InventoryChanged[], heard: readonly HeardSite[]): Promise<void> {
    // One batch may hold the same message twice.
    const inventories = [
      ...new Map(delivered.map((inventory) => [inventoryIdentity(keyOf(inventory)), inventory])).values(),
    ];
    const changes = inventories.flatMap((inventory) => inventory.changes.map((change) => ({ inventory, change })));
    await this.locks.shareModules(
      tx,
      changes.map(({ change }) => change.module),
    );
    const ids = await this.versions.identifyReported(
      tx,
      changes.map(({ change }) => reportedVersion(change)),
    );
    const organizations = await this.summaries.lock(
      tx,
      [...heard, ...inventories].map((site) => ({ siteId: site.site_id, organizationId: site.organization_id })),
    );

    const added = await this.facts.addInventories(
      tx,
      inventories.map((inventory) => inventoryRow(inventory, organizations)),
    );
    const pairs = await this.facts.addFacts(
      tx,
      changes.map(({ inventory, change }, index) => factRow(inventory, change, ids[index]!, organizations)),
    );
    const standingsBefore = await this.facts.deriveIntervals(tx, pairs);
    const pairIds = { siteIds: pairs.map((pair) => pair.siteId), moduleIds: pairs.map((pair) => pair.moduleId) };
    const exposureSites = await this.exposures.reconcile(tx, { ...pairIds, causeIds: null, newFrom: pairs });
    const isNew = new Set(added.map(inventoryIdentity));
    await this.summaries.afterInventory(
      tx,
      inventories
        .filter((inventory) => isNew.has(inventoryIdentity(keyOf(inventory))))
        .map((inventory) => ({
          siteId: inventory.site_id,
          epoch: inventory.epoch,
          sequence: inventory.sequence,
          observedAt: inventory.observed_at,
          previousObservedAt: inventory.previous_observed_at,
          receivedAt: inventory.received_at,
          complete: inventory.complete,
          coreVersion: inventory.core_version,
          phpVersion: inventory.php_version,
        })),
      heard.map((site) => ({
        siteId: site.site_id,
        heardAt: site.heard_at,
        observedAt: site.observed_at,
        complete: site.complete,
      })),
      { ...pairIds, standingsBefore },
      exposureSites,
    );
  }
}

type Change = InventoryChanged['changes'][number];

function reportedVersion({ module, installed }: Change): ReportedVersion {
  return {
    module,
    installed: installed ? { version: installed.version, datestamp: installed.datestamp } : null,
  };
}

function keyOf({ site_id, epoch, sequence }: InventoryChanged): InventoryKey {
  return { siteId: site_id, epoch, sequence };
}

function inventoryIdentity({ siteId, epoch, sequence }: InventoryKey): string {
  return `${siteId} ${epoch} ${sequence}`;
}

function inventoryRow(inventory: InventoryChanged, organizations: ReadonlyMap<number, number>): InventoryRow {
  return {
    siteId: inventory.site_id,
    organizationId: organizations.get(inventory.site_id) ?? inventory.organization_id,
    epoch: inventory.epoch,
    sequence: inventory.sequence,
    pushId: inventory.push_id,
    observedAt: inventory.observed_at,
    previousObservedAt: inventory.previous_observed_at,
    receivedAt: inventory.received_at,
    complete: inventory.complete,
    coreVersion: inventory.core_version,
    phpVersion: inventory.php_version,
    changes: inventory.changes.length,
  };
}

function factRow(
  inventory: InventoryChanged,
  change: Change,
  ids: { moduleId: number; versionId: number | null },
  organizations: ReadonlyMap<number, number>,
): FactRow {
  return {
    siteId: inventory.site_id,
    moduleId: ids.moduleId,
    epoch: inventory.epoch,
    sequence: inventory.sequence,
    organizationId: organizations.get(inventory.site_id) ?? inventory.organization_id,
    versionId: ids.versionId,
    datestamp: change.installed?.datestamp ?? null,
    state: change.installed?.state ?? null,
    type: change.type,
    observedAt: inventory.observed_at,
    previousObservedAt: inventory.previous_observed_at,
  };
}
