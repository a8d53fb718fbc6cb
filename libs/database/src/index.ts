export * from './data-source.js';
export * from './pending-migration.js';
export * from './prepare-database.js';
export * from './sql-errors.js';
export * from './unit-of-work.js';
