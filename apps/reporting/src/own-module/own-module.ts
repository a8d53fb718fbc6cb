import type { ReleaseHistoryDocument } from '#libs/contracts';

/** A module that an organization declared as its own, and that Drupal.org does not know. */
export interface OwnModule {
  readonly organizationId: number;
  readonly organizationUuid: string;
  readonly moduleId: number;
  readonly module: string;
  /** Of the declaration. */
  readonly revision: number;
  readonly knownAt: Date;
  readonly history: ReleaseHistoryDocument;
}
