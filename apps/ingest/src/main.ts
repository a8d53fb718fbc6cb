import { runService } from '#libs/runtime';
import { startIngest } from './start.js';

await runService('ingest', startIngest);
