export * from './envelope.js';
export * from './failures.js';
export * from './ports.js';
