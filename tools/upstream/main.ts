import { startUpstream } from './server.js';

/**
 * The stand-in as a process of its own.
 *   PATCHWATCH_UPSTREAM_PORT (default 8099), PATCHWATCH_UPSTREAM_HOST (default 127.0.0.1)
 *   PATCHWATCH_UPSTREAM_AS_OF  an instant at which its time stands still (default: the machine's clock)
 *   PATCHWATCH_UPSTREAM_CONTROL=1  offers `POST /_control/<verb>`
 */
const asOf = process.env['PATCHWATCH_UPSTREAM_AS_OF'];
if (asOf && Number.isNaN(Date.parse(asOf))) throw new Error(`PATCHWATCH_UPSTREAM_AS_OF is no instant: ${asOf}`);

const upstream = await startUpstream({
  port: Number(process.env['PATCHWATCH_UPSTREAM_PORT'] ?? 8099),
  host: process.env['PATCHWATCH_UPSTREAM_HOST'] ?? '127.0.0.1',
  controlOverHttp: process.env['PATCHWATCH_UPSTREAM_CONTROL'] === '1',
  ...(asOf ? { clock: { now: () => new Date(asOf) } } : {}),
});
console.log(`stand-in for Drupal.org: ${upstream.url}${asOf ? ` as of ${new Date(asOf).toISOString()}` : ''}`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void upstream.stop());
}
