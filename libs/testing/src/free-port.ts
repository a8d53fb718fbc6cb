import { createServer } from 'node:net';

/**
 * Below what systems give to outgoing links (Linux: from 32768, others: from 49152). A port from there would be free now and, on a busy
 * machine, taken by some link a second later, before whoever it was meant for listens on it. And below those of tools/ladder, from 20000:
 * tests start platforms by it.
 */
const LOWEST = 15_000;
const COUNT = 5_000;
/** Suites run side by side in processes that Jest numbers. Each has ports of its own: one that is chosen here is not taken there before it is listened on. */
const SHARES = 4;
const SHARE = Number(process.env['JEST_WORKER_ID'] ?? 0) % SHARES;

/** Given before by this process: who asks twice means two. */
const given = new Set<number>();

/** A TCP port on loopback that nobody listens on at this moment. Nothing keeps it reserved: another process than a suite of this run may be given the same. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const port = LOWEST + SHARES * Math.floor((Math.random() * COUNT) / SHARES) + SHARE;
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no port from ${LOWEST} to ${LOWEST + COUNT - 1} is free`);
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
