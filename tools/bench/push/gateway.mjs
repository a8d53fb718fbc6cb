// The gateway itself, as `npm start` runs it, with an ear for the bench's questions.
import { loadConfig } from '#libs/runtime';
import { startGateway } from '../../../dist/apps/gateway/src/start.js';

const gateway = await startGateway(loadConfig('gateway'));
process.on('message', () => process.send({ cpu: process.cpuUsage() }));
process.on('disconnect', () => void gateway.stop().finally(() => process.exit(0)));
process.send({ url: gateway.url });
