import { IngestTables1763700000000 } from './1763700000000-ingest-tables.js';

/** In the order they run. */
export const migrations = [IngestTables1763700000000];
