import { NotifierTables1763700000000 } from './1763700000000-notifier-tables.js';

/** In the order they run. */
export const migrations = [NotifierTables1763700000000];
