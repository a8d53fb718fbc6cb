/** How many sites run one version, and on how many of them an exposure of the module stands open. */
export interface VersionCount {
  readonly versionId: number;
  readonly sites: number;
  readonly exposed: number;
  /** What the sites take it for: `module`, `theme`, … */
  readonly type: string;
}

/** How the sites stand to one cause: ever exposed, still open, all of it patched. */
export interface CauseCount {
  readonly causeId: number;
  readonly exposed: number;
  readonly open: number;
  readonly patched: number;
}

/** Adds up the parts of a fleet: every site is in exactly one. */
export function versionTotals(parts: readonly (readonly VersionCount[])[]): Map<number, VersionCount> {
  const totals = new Map<number, { versionId: number; sites: number; exposed: number; type: string }>();
  for (const part of parts) {
    for (const count of part) {
      const total = totals.get(count.versionId);
      if (!total) totals.set(count.versionId, { ...count });
      else {
        total.sites += count.sites;
        total.exposed += count.exposed;
      }
    }
  }
  return totals;
}

/** As `versionTotals`, by cause. */
export function causeTotals(parts: readonly (readonly CauseCount[])[]): Map<number, CauseCount> {
  const totals = new Map<number, { causeId: number; exposed: number; open: number; patched: number }>();
  for (const part of parts) {
    for (const count of part) {
      const total = totals.get(count.causeId);
      if (!total) totals.set(count.causeId, { ...count });
      else {
        total.exposed += count.exposed;
        total.open += count.open;
        total.patched += count.patched;
      }
    }
  }
  return totals;
}
