import { runService } from '#libs/runtime';
import { startCatalog } from './start.js';

await runService('catalog', startCatalog);
