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
  let i = 0;
  let j = 0;
  while (i < before.lines.length || j < after.lines.length) {
    if (i < before.lines.length && j < after.lines.length && before.lines[i] === after.lines[j]) {
      i++;
      j++;
      continue;
    }
    const old = i < before.lines.length ? before.nameAt(i) : null;
    const now = j < after.lines.length ? after.nameAt(j) : null;
    if (now === null || (old !== null && old < now)) {
      differences.push({ module: old!, before: before.moduleAt(i++), after: null });
    } else if (old === null || now < old) {
      differences.push({ module: now, before: null, after: after.moduleAt(j++) });
    } else {
      differences.push({ module: now, before: before.moduleAt(i++), after: after.moduleAt(j++) });
    }
  }
  return differences;
}
