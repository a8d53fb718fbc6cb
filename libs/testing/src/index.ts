export * from './eventually.js';
export * from './free-port.js';
export * from './manual-clock.js';
export * from './tcp-proxy.js';
export * from './test-database.js';
export * from './test-redis.js';
export * from './test-redis-cluster.js';
export * from './test-redis-sentinel.js';
