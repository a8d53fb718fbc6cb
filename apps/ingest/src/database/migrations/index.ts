import { IngestTables1763700000000 } from './1763700000000-ingest-tables.js';
import { HistoryAndRetention1763800000000 } from './1763800000000-history-and-retention.js';
import { PartitionsOfTenants1764300000000 } from './1764300000000-partitions-of-tenants.js';
import { DeadPushColumns1764600000002 } from './1764600000002-dead-push-columns.js';

/** In the order they run. */
export const migrations = [
  IngestTables1763700000000,
  HistoryAndRetention1763800000000,
  PartitionsOfTenants1764300000000,
  DeadPushColumns1764600000002,
];
