import { NotifierTables1763700000000 } from './1763700000000-notifier-tables.js';
import { OutboxAndRetention1763800000000 } from './1763800000000-outbox-and-retention.js';
import { LettersToStrangers1763900000000 } from './1763900000000-letters-to-strangers.js';

/** In the order they run. */
export const migrations = [
  NotifierTables1763700000000,
  OutboxAndRetention1763800000000,
  LettersToStrangers1763900000000,
];
