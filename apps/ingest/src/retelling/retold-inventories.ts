import type { InventoryChanged } from '#libs/contracts';
import type { ModuleDifference } from '../inventory/inventory-diff.js';
import { inventoryChangedBody } from '../inventory/inventory-events.js';
import { byModule, type InstalledModule } from '../inventory/inventory.js';

/** A change as the history keeps it. Instants are milliseconds since 1970. */
export interface KeptChange {
  readonly siteId: number;
  readonly siteUuid: string;
  readonly organizationId: number;
  readonly pushId: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly observedAt: number;
  readonly previousObservedAt: number | null;
  readonly receivedAt: number;
  readonly complete: boolean;
  readonly first: boolean;
  readonly coreVersion: string | null;
  readonly phpVersion: string | null;
  readonly reconstructed: boolean;
}

/** A module at a version, from the push that brought it to the one that ended it. */
export interface KeptModule extends InstalledModule {
  readonly epoch: number;
  readonly sequence: number;
  /** Both null: it stands, or the site was removed. */
  readonly endEpoch: number | null;
  readonly endSequence: number | null;
}

/**
 * The events by which one site's history was told, from what was kept of it: what began with a push and what it ended are what it changed.
 * @param changes in order of (epoch, sequence).
 */
export function retoldInventories(changes: readonly KeptChange[], modules: readonly KeptModule[]): InventoryChanged[] {
  const differences = new Map<string, Map<string, { before: InstalledModule | null; after: InstalledModule | null }>>();
  const differenceOf = (epoch: number, sequence: number, module: string) => {
    const key = `${epoch} ${sequence}`;
    const ofPush =
      differences.get(key) ?? new Map<string, { before: InstalledModule | null; after: InstalledModule | null }>();
    differences.set(key, ofPush);
    const difference = ofPush.get(module) ?? { before: null, after: null };
    ofPush.set(module, difference);
    return difference;
  };
  for (const kept of modules) {
    differenceOf(kept.epoch, kept.sequence, kept.module).after = kept;
    if (kept.endEpoch !== null && kept.endSequence !== null)
      differenceOf(kept.endEpoch, kept.endSequence, kept.module).before = kept;
  }
  return changes.map((change) => {
    const { epoch, observedAt, previousObservedAt, first, coreVersion, phpVersion, ...push } = change;
    const ofPush = differences.get(`${epoch} ${push.sequence}`) ?? new Map<string, Omit<ModuleDifference, 'module'>>();
    return inventoryChangedBody({
      push,
      epoch,
      observedAt,
      previousObservedAt,
      first,
      after: { coreVersion, phpVersion },
      differences: [...ofPush].map(([module, difference]) => ({ module, ...difference })).sort(byModule),
    });
  });
}
