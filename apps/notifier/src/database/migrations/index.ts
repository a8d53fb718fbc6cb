import { NotifierTables1763700000000 } from './1763700000000-notifier-tables.js';
import { OutboxAndRetention1763800000000 } from './1763800000000-outbox-and-retention.js';

/** In the order they run. */
export const migrations = [NotifierTables1763700000000, OutboxAndRetention1763800000000];
