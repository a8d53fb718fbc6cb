/** What stands open at an instant. */
export interface OpenCounts {
  readonly open: number;
  readonly unknown: number;
  /** Pairs of site and module: several advisories on one count once. */
  readonly openSiteModules: number;
  readonly exposedSites: number;
  readonly oldestOpenAt: Date | null;
}
