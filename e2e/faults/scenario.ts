import type { Balance } from './identity.js';
import type { PlatformOptions } from './platform/platform.js';
import type { Stage } from './stage.js';

/** One disaster, played on real processes. The accounting identity is checked after each; a scenario adds what it promises beyond it. */
export interface Scenario {
  readonly number: number;
  /** For the command line and the report. */
  readonly name: string;
  /** What must hold beyond the identity, in words. */
  readonly promise: string;
  /** It kills Postgres: a server that others use will not do. */
  readonly needsOwnPostgres?: boolean;
  /** A platform of its own instead of the one that scenarios share. */
  readonly platform?: Omit<PlatformOptions, 'folder'>;
  run(stage: Stage): Promise<void>;
}

/** One line of the report. */
export interface Outcome extends Balance {
  readonly scenario: number;
  readonly name: string;
  readonly seconds: number;
  readonly verdict: 'kept' | 'broken' | 'not run';
  /** Identities and promises that do not hold, or why it was not run; empty when kept. */
  readonly problems: readonly string[];
  /** What was seen, for the reader of the report. */
  readonly notes: readonly string[];
}
