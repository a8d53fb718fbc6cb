import { runService } from '#libs/runtime';
import { startNotifier } from './start.js';

await runService('notifier', startNotifier);
