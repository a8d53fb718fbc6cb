/** One module whose version another push found changed. */
export interface VersionChange {
  readonly module: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** The version changes between two consecutive inventories of one site. Instants are milliseconds since 1970. */
export interface PatchRun {
  readonly siteId: number;
  readonly organizationId: number;
  readonly pushId: string;
  readonly epoch: number;
  readonly sequence: number;
  /** It happened after this… */
  readonly after: number;
  /** …and not after this. */
  readonly observedAt: number;
  readonly items: readonly VersionChange[];
}

interface Difference {
  readonly module: string;
  readonly before: { readonly version: string | null } | null;
  readonly after: { readonly version: string | null } | null;
}

/** What was patched: modules that are still there at another version. Adding and removing is no patching. */
export function versionChanges(differences: readonly Difference[]): VersionChange[] {
  const changes: VersionChange[] = [];
  for (const { module, before, after } of differences) {
    if (before !== null && after !== null && before.version !== after.version) {
      changes.push({ module, from: before.version, to: after.version });
    }
  }
  return changes;
}
