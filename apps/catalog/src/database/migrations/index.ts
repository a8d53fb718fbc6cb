import { CatalogTables1763700000000 } from './1763700000000-catalog-tables.js';
import { FailuresAndOwnModules1763800000000 } from './1763800000000-failures-and-own-modules.js';
import { AdvisoryReadings1763900000000 } from './1763900000000-advisory-readings.js';
import { UpstreamBudgets1764000000000 } from './1764000000000-upstream-budgets.js';

/** In the order they run. */
export const migrations = [
  CatalogTables1763700000000,
  FailuresAndOwnModules1763800000000,
  AdvisoryReadings1763900000000,
  UpstreamBudgets1764000000000,
];
