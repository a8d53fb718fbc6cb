import { CatalogTables1763700000000 } from './1763700000000-catalog-tables.js';

/** In the order they run. */
export const migrations = [CatalogTables1763700000000];
