import { Reporting1763700000000 } from './1763700000000-reporting.js';
import { SourcesAndOwnModules1763800000000 } from './1763800000000-sources-and-own-modules.js';

/** Migrations of the schema `reporting`, oldest first. */
export const migrations = [Reporting1763700000000, SourcesAndOwnModules1763800000000];
