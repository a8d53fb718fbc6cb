import { createLogger, loadConfig, metrics, runProcess } from '#libs/runtime';
import type { RunningService, ServiceConfig } from '#libs/runtime';
import { startCatalog } from '../../catalog/src/start.js';
import { startGateway } from '../../gateway/src/start.js';
import { startIngest } from '../../ingest/src/start.js';
import { startNotifier } from '../../notifier/src/start.js';
import { startReporting } from '../../reporting/src/start.js';
import { composeServices } from './compose-services.js';

/** All services in one process, for small agencies: the same code, the same queues, the same roles in the database. */
const STARTS: readonly (readonly [string, (config: ServiceConfig) => Promise<RunningService>])[] = [
  // The gateway comes last: it takes pushes as soon as it listens.
  ['ingest', startIngest],
  ['catalog', startCatalog],
  ['reporting', startReporting],
  ['notifier', startNotifier],
  ['gateway', startGateway],
];

const gateway = loadConfig('gateway');
await runProcess({
  name: 'single',
  logger: createLogger('single', { level: gateway.logLevel }),
  health: { host: gateway.host, port: gateway.healthPort, registry: STARTS.map(([service]) => metrics(service)) },
  start: () => composeServices(STARTS, loadConfig),
});
