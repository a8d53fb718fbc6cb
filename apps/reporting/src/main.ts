import { runService } from '#libs/runtime';
import { startReporting } from './start.js';

await runService('reporting', startReporting);
