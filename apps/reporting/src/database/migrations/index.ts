import { Reporting1763700000000 } from './1763700000000-reporting.js';
import { SourcesAndOwnModules1763800000000 } from './1763800000000-sources-and-own-modules.js';
import { SiteQuarantine1764400000001 } from './1764400000001-site-quarantine.js';
import { CatalogChanges1764600000001 } from './1764600000001-catalog-changes.js';

/** Migrations of the schema `reporting`, oldest first. */
export const migrations = [
  Reporting1763700000000,
  SourcesAndOwnModules1763800000000,
  SiteQuarantine1764400000001,
  CatalogChanges1764600000001,
];
