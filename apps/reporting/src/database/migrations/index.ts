import { Reporting1763700000000 } from './1763700000000-reporting.js';

/** Migrations of the schema `reporting`, oldest first. */
export const migrations = [Reporting1763700000000];
