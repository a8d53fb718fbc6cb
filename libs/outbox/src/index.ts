export * from './ports.js';
export * from './schema.js';
export * from './event-validator.js';
export * from './table-outbox.js';
export * from './nudging-unit-of-work.js';
export * from './dead-letter-store.js';
export * from './outbox-relay.js';
