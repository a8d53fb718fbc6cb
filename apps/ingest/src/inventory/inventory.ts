import { createHash } from 'node:crypto';

export type ModuleType = 'core' | 'module' | 'theme' | 'profile';
export type ModuleState = 'enabled' | 'disabled' | 'present';

/** One module as a site has it. */
export interface InstalledModule {
  /** Drupal.org machine name; core is `drupal`. Of custom code, the name its adapter gave it. */
  readonly module: string;
  readonly type: ModuleType;
  /** As the site wrote it; null: its info file names none. */
  readonly version: string | null;
  /** Unix seconds of the packaging; null: the site reported none. */
  readonly datestamp: number | null;
  readonly state: ModuleState;
  /** The site's own code: kept, but never spoken of to others, because its name may be that of a Drupal.org project. */
  readonly custom: boolean;
}

/** What a site has installed, whole. */
export interface Inventory {
  readonly coreVersion: string | null;
  readonly phpVersion: string | null;
  /** Sorted by name (UTF-16 order); a name occurs once. */
  readonly modules: readonly InstalledModule[];
}

export const EMPTY_INVENTORY: Inventory = { coreVersion: null, phpVersion: null, modules: [] };

/** An inventory with its canonical text, by which inventories are compared and stored. */
export interface Snapshot {
  readonly inventory: Inventory;
  /** Equal for equal inventories, different for different ones. */
  readonly text: string;
  /** SHA-256 of `text`, base64. */
  readonly hash: string;
}

type Row = [
  module: string,
  type: ModuleType,
  version: string | null,
  datestamp: number | null,
  state: ModuleState,
  custom?: 1,
];

/** Orders names as `Inventory.modules` is ordered. */
export function byModule(a: { readonly module: string }, b: { readonly module: string }): number {
  return a.module < b.module ? -1 : a.module > b.module ? 1 : 0;
}

/** @param inventory whose modules are sorted. */
export function snapshotOf(inventory: Inventory): Snapshot {
  const rows: Row[] = inventory.modules.map((item) =>
    item.custom
      ? [item.module, item.type, item.version, item.datestamp, item.state, 1]
      : [item.module, item.type, item.version, item.datestamp, item.state],
  );
  const text = JSON.stringify([inventory.coreVersion, inventory.phpVersion, rows]);
  return { inventory, text, hash: createHash('sha256').update(text).digest('base64') };
}

/** Reads what `snapshotOf` wrote. */
export function readSnapshot(text: string): Inventory {
  const [coreVersion, phpVersion, rows] = JSON.parse(text) as [string | null, string | null, Row[]];
  return {
    coreVersion,
    phpVersion,
    modules: rows.map(([module, type, version, datestamp, state, custom]) => ({
      module,
      type,
      version,
      datestamp,
      state,
      custom: custom === 1,
    })),
  };
}

/**
 * What stands after a partial push: it adds and updates; what it does not name stays as it was, because absence in it
 * says nothing.
 */
export function mergePartial(current: Inventory, partial: Inventory): Inventory {
  const modules = new Map(current.modules.map((item) => [item.module, item]));
  for (const item of partial.modules) modules.set(item.module, item);
  return {
    coreVersion: partial.coreVersion ?? current.coreVersion,
    phpVersion: partial.phpVersion ?? current.phpVersion,
    modules: [...modules.values()].sort(byModule),
  };
}
