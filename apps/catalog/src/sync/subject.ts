import type { Validators } from '../upstream/upstream-port.js';

/** One thing to ask upstream for, under a lease. */
export interface ClaimedModule {
  readonly kind: 'module';
  readonly subject: string;
  readonly moduleId: number;
  readonly module: string;
  readonly failures: number;
  /** Until when it is asked for often; null: at the usual beat. */
  readonly hotUntil: Date | null;
  /** What is known of it; null: nothing yet. */
  readonly known: KnownDocument | null;
}

export interface ClaimedFeed {
  readonly kind: 'advisories' | 'archive';
  readonly subject: string;
  readonly failures: number;
}

export type Claimed = ClaimedModule | ClaimedFeed;

/** The last good document of a module, as far as a new one is held against it. */
export interface KnownDocument {
  readonly outcome: 'ok' | 'not_found';
  readonly hash: string;
  readonly validators: Validators;
  readonly fetchedAt: Date;
  readonly releases: number;
  /** Date of its newest release, snapshots left out; null: none has a date. */
  readonly newestReleaseAt: Date | null;
}

/** The feed of the latest advisories. */
export const ADVISORIES = 'advisories';
/** All advisories, by pages. */
export const ARCHIVE = 'advisory-archive';
/** Subjects that are no modules. */
export const FEEDS: readonly string[] = [ADVISORIES, ARCHIVE];
export const moduleSubject = (module: string): string => `module:${module}`;

/** How asking went, when it brought nothing good. */
export interface SyncFailure {
  readonly code: string;
  readonly detail: string;
  readonly retryAfterMs: number | null;
}
