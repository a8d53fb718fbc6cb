import type { Inventory, InstalledModule } from './inventory.js';

/** One module that differs between two inventories. Never both null. */
export interface ModuleDifference {
  readonly module: string;
  /** null: added. */
  readonly before: InstalledModule | null;
  /** null: removed. */
  readonly after: InstalledModule | null;
}

/** What differs between two inventories of one site, in order of name. Both are sorted, so one walk is enough. */
export function diffInventories(before: Inventory, after: Inventory): ModuleDifference[] {
  const differences: ModuleDifference[] = [];
  const old = before.modules;
  const now = after.modules;
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    const a = old[i];
    const b = now[j];
    if (b === undefined || (a !== undefined && a.module < b.module)) {
      differences.push({ module: a!.module, before: a!, after: null });
      i++;
    } else if (a === undefined || b.module < a.module) {
      differences.push({ module: b.module, before: null, after: b });
      j++;
    } else {
      if (!sameModule(a, b)) differences.push({ module: a.module, before: a, after: b });
      i++;
      j++;
    }
  }
  return differences;
}

function sameModule(a: InstalledModule, b: InstalledModule): boolean {
  return (
    a.version === b.version &&
    a.state === b.state &&
    a.datestamp === b.datestamp &&
    a.type === b.type &&
    a.custom === b.custom
  );
}
