import { createServer } from 'node:net';

/**
 * Below what systems give to outgoing links (Linux: from 32768, others: from 49152). A port from there would be free now and, on a busy
 * machine, taken by some link a second later, before whoever it was meant for listens on it.
 */
const LOWEST = 15_000;
const COUNT = 17_000;

/** Given before by this process: who asks twice means two. */
const given = new Set<number>();

/** A TCP port on loopback that nobody listens on at this moment. Nothing keeps it reserved: another process may be given the same. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const port = LOWEST + Math.floor(Math.random() * COUNT);
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
