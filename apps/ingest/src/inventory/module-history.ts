import type { InstalledModule } from './inventory.js';
import type { AppliedChange } from './settle-pushes.js';

/** A row of history that begins. */
export interface HistoryOpening {
  /** Index of the change that brings it. */
  readonly change: number;
  readonly installed: InstalledModule;
  /** Index of the change of the same batch that ends it again; null: it stands. */
  readonly endedBy: number | null;
}

/** A row of history that stood before the batch and ends. */
export interface HistoryClosing {
  readonly change: number;
  readonly module: string;
}

export interface HistoryRows {
  readonly openings: readonly HistoryOpening[];
  readonly closings: readonly HistoryClosing[];
}

/**
 * The rows to write for the changes of a batch. What one push of the batch brings and a later one of the same site ends is
 * written once, ended already.
 * @param changes of one site in increasing order; sites may be mixed.
 */
export function historyRows(changes: readonly AppliedChange[]): HistoryRows {
  const openings: { change: number; installed: InstalledModule; endedBy: number | null }[] = [];
  const closings: HistoryClosing[] = [];
  // Only a site with several changes can end what the batch began.
  const repeated = sitesWithSeveralChanges(changes);
  const standing = new Map<string, { endedBy: number | null }>();
  changes.forEach(({ push: { siteId }, differences }, change) => {
    const mayRepeat = repeated.has(siteId);
    for (const { module, before, after } of differences) {
      const key = mayRepeat ? `${siteId} ${module}` : '';
      if (before !== null) {
        const begun = mayRepeat ? standing.get(key) : undefined;
        if (begun === undefined) closings.push({ change, module });
        else begun.endedBy = change;
        if (mayRepeat) standing.delete(key);
      }
      if (after !== null) {
        const opening = { change, installed: after, endedBy: null };
        openings.push(opening);
        if (mayRepeat) standing.set(key, opening);
      }
    }
  });
  return { openings, closings };
}

function sitesWithSeveralChanges(changes: readonly AppliedChange[]): Set<number> {
  const seen = new Set<number>();
  const several = new Set<number>();
  for (const { push } of changes) {
    if (seen.has(push.siteId)) several.add(push.siteId);
    seen.add(push.siteId);
  }
  return several;
}
