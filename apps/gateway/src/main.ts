import { runService } from '#libs/runtime';
import { startGateway } from './start.js';

await runService('gateway', startGateway);
