import type { VersionCount } from './fleet-counts.js';

/** How sites stand to a module: counts of sites. */
export interface ModuleTotals {
  sites: number;
  versions: number;
  exposed: number;
  security: number;
  updates: number;
  unsupported: number;
  unknown: number;
  /** What the sites take it for. */
  reportedType: string | null;
}

/** What is said of a version to whoever runs it. */
export interface SaidOfVersion {
  readonly moduleId: number;
  readonly status: string;
  readonly standing: string;
}

/** Statuses of versions that get no more fixes. */
const UNSUPPORTED = ['not_supported', 'revoked'];

export function noTotals(): ModuleTotals {
  return {
    ...{ sites: 0, versions: 0, exposed: 0, security: 0, updates: 0, unsupported: 0, unknown: 0 },
    reportedType: null,
  };
}

/** Adds the sites that run one version. An open exposure is a security update, whatever the status says; one that cannot be judged is never current. */
export function addVersion(totals: ModuleTotals, count: VersionCount, said: SaidOfVersion): void {
  const { sites, exposed, unjudged } = count;
  totals.sites += sites;
  totals.versions += 1;
  totals.exposed += exposed;
  totals.security += said.standing === 'security' ? sites : exposed;
  totals.updates += said.standing === 'security' || said.standing === 'update' ? sites : exposed;
  totals.unknown += said.standing === 'unknown' ? sites - exposed : said.standing === 'current' ? unjudged : 0;
  totals.unsupported += UNSUPPORTED.includes(said.status) ? sites : 0;
  totals.reportedType ??= count.type;
}

/** By module. A version that nothing is said of is left out: it cannot be, since each is judged when it is first seen. */
export function totalsByModule(
  counts: Iterable<VersionCount>,
  said: ReadonlyMap<number, SaidOfVersion>,
): Map<number, ModuleTotals> {
  const totals = new Map<number, ModuleTotals>();
  for (const count of counts) {
    const version = said.get(count.versionId);
    if (!version) continue;
    let ofModule = totals.get(version.moduleId);
    if (!ofModule) totals.set(version.moduleId, (ofModule = noTotals()));
    addVersion(ofModule, count, version);
  }
  return totals;
}
