/** Where a site stands. The nulls of a site never applied anything to. */
export interface SiteState {
  readonly siteId: number;
  readonly siteUuid: string;
  readonly organizationId: number;
  readonly epoch: number | null;
  readonly sequence: number | null;
  /** Of the current inventory; null: there is none (yet, or any more). */
  readonly contentHash: string | null;
  readonly reportedHash: string | null;
  /** Of the body that brought the current inventory, see `PushText`; null: another body may say the same. */
  readonly fingerprint: string | null;
  readonly observedAt: number | null;
  readonly receivedAt: number | null;
  /** false: the last inventory was partial; null: there is none. */
  readonly complete: boolean | null;
  readonly coreVersion: string | null;
  readonly phpVersion: string | null;
  readonly removedAt: number | null;
}

export interface SiteIdentity {
  readonly siteId: number;
  readonly siteUuid: string;
  readonly organizationId: number;
}

/** What the registry says of a site. */
export interface RegisteredSite extends SiteIdentity {
  /** Milliseconds since 1970; null: the site is there. */
  readonly removedAt: number | null;
  readonly revision: number;
}
