export * from './data-source.js';
export * from './pending-migration.js';
export * from './prepare-database.js';
export * from './separate-tenants.js';
export * from './sql-errors.js';
export * from './tenancy.js';
export * from './tenant-client.js';
export * from './unit-of-work.js';
