import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { InventoryChanged, SitesHeard } from '#libs/contracts';
import { ReconcileExposuresService } from '../exposure/reconcile-exposures.service.js';
import { StoreInventoriesService } from '../inventory/store-inventories.service.js';
import { SummarizeSitesService } from '../site-summary/summarize-sites.service.js';
import { ForgetModelsRepository, type StoredInventory } from './forget-models.repository.js';
import { ModelSnapshotRepository } from './model-snapshot.repository.js';
import { compareModels, type Comparison } from './read-model-comparison.js';

/** One site as ingest told of it. */
export interface ToldSite {
  /** In order of (epoch, sequence). */
  readonly inventories: readonly { readonly inventory: InventoryChanged; readonly reconstructed: boolean }[];
  readonly heard: SitesHeard['sites'][number];
}

/**
 * Rebuilds what is derived from one site's reports, in one transaction: who reads sees the old state or the new one. Facts go and come
 * again; exposures are brought in step, so that those which were right keep their identity. Facts later than what was told came by
 * their own events meanwhile, and stay.
 */
@Injectable()
export class RebuildSiteService {
  constructor(
    private readonly forget: ForgetModelsRepository,
    private readonly snapshots: ModelSnapshotRepository,
    private readonly inventories: StoreInventoriesService,
    private readonly exposures: ReconcileExposuresService,
    private readonly summaries: SummarizeSitesService,
  ) {}

  /** @returns what became different, and whether the site was only behind: all that was missing came after all that was there. */
  async rebuild(tx: EntityManager, { inventories, heard }: ToldSite): Promise<Comparison & { behind: boolean }> {
    const siteId = heard.site_id;
    const facts = inventories.map(({ inventory }) => inventory);
    await this.inventories.prepare(tx, facts, [heard]);
    const before = await this.snapshots.ofSite(tx, siteId);
    const stored = await this.forget.inventories(tx, siteId);
    const pairsBefore = await this.forget.pairs(tx, siteId);
    const last = facts.at(-1);
    if (last) await this.forget.site(tx, siteId, last.epoch, last.sequence);
    const heardBefore = await this.forget.summary(tx, siteId);

    const told = inventories.map(({ inventory, reconstructed }) =>
      reconstructed ? { ...inventory, ...stored.get(keyOf(inventory)) } : inventory,
    );
    await this.inventories.store(tx, told, [heard]);
    const pairs = union(pairsBefore, await this.forget.pairs(tx, siteId));
    await this.exposures.reconcile(tx, { ...pairs, causeIds: null });
    const later = [...stored.values()].filter((inventory) => last === undefined || isLater(inventory, last));
    const heardLater = heardBefore !== null && heardBefore.heardAt > heard.heard_at ? [{ siteId, ...heardBefore }] : [];
    await this.summaries.afterInventory(
      tx,
      later.map((inventory) => summarized(siteId, inventory)),
      heardLater,
      { siteIds: [], moduleIds: [], standingsBefore: [] },
      [],
    );
    // What was forgotten stands in the counts still, beside what came again.
    await this.summaries.afterSites(tx, pairs);

    const comparison = compareModels(`site ${siteId}`, before, await this.snapshots.ofSite(tx, siteId));
    return { ...comparison, behind: isBehind(comparison, stored, told) };
  }
}

const keyOf = ({ epoch, sequence }: { epoch: number; sequence: number }): string => `${epoch} ${sequence}`;

function isLater(one: { epoch: number; sequence: number }, other: { epoch: number; sequence: number }): boolean {
  return one.epoch > other.epoch || (one.epoch === other.epoch && one.sequence > other.sequence);
}

/** Everything that was stored was right as far as it went: no fact was wrong or too many, and those missing are the latest. */
function isBehind(
  { differences }: Comparison,
  stored: ReadonlyMap<string, StoredInventory>,
  told: readonly InventoryChanged[],
): boolean {
  const facts = differences.filter(({ table }) => table === 'site_inventories' || table === 'site_facts');
  if (facts.some(({ kind }) => kind !== 'missing')) return false;
  const missing = told.filter((inventory) => !stored.has(keyOf(inventory)));
  if (missing.length === 0) return false;
  // A fact of an inventory that is stored must be stored with it.
  const lost = facts.some(
    ({ table, key }) => table === 'site_facts' && stored.has(key.split(' at ').at(-1)!.replace('/', ' ')),
  );
  return !lost && missing.every((inventory) => [...stored.values()].every((known) => isLater(inventory, known)));
}

function union(
  one: { siteIds: readonly number[]; moduleIds: readonly number[] },
  other: { siteIds: readonly number[]; moduleIds: readonly number[] },
): { siteIds: number[]; moduleIds: number[] } {
  const siteId = one.siteIds[0] ?? other.siteIds[0];
  const moduleIds = [...new Set([...one.moduleIds, ...other.moduleIds])].sort((a, b) => a - b);
  return { siteIds: moduleIds.map(() => siteId!), moduleIds };
}

function summarized(siteId: number, inventory: StoredInventory) {
  return {
    siteId,
    epoch: inventory.epoch,
    sequence: inventory.sequence,
    observedAt: inventory.observed_at,
    previousObservedAt: inventory.previous_observed_at,
    receivedAt: inventory.received_at,
    complete: inventory.complete,
    coreVersion: inventory.core_version,
    phpVersion: inventory.php_version,
  };
}
