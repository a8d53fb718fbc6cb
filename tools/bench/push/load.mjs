// Sends requests from a process of its own, so that making them does not count against the server. One turn for each message.
import autocannon from 'autocannon';
import { onTheWire, PlainConnection } from './plain-connection.mjs';

/** As many as the server takes, each connection sending as soon as it has its answer. */
async function asFastAsPossible({ url, requests, seconds, connections }) {
  const result = await autocannon({ url, connections, duration: seconds, requests });
  return {
    accepted: result['2xx'],
    refused: result.non2xx + result.errors + result.timeouts,
    statuses: result.statusCodeStats,
    seconds: result.duration,
  };
}

/**
 * `rate` requests a second, evenly spaced, whether the server keeps up or not. A latency counts from when the request was due, so
 * that waiting for a free connection is part of it. (autocannon's own `overallRate` sends each second's requests in one burst.)
 * The first `leadInSeconds` are sent and not counted: in them connections open, and what slept wakes up.
 */
async function evenly({ url, requests, seconds, leadInSeconds = 0, connections, rate, expected = 202 }) {
  const server = new URL(url);
  const wired = requests.map((request) => onTheWire(request, server.host));
  const leadIn = Math.round(rate * leadInSeconds);
  const total = leadIn + Math.round(rate * seconds);
  const latencies = [];
  const statuses = {};
  const open = new Set();
  const free = [];
  /** Numbers of the requests that are due and have no connection yet. */
  const waiting = [];
  let answered = 0;
  const begun = performance.now();
  const dueAt = (number) => begun + (number / rate) * 1000;
  await new Promise((resolve) => {
    const askOn = (connection, number) =>
      connection.ask(wired[number % wired.length], (outcome) => {
        statuses[outcome] = (statuses[outcome] ?? 0) + 1;
        if (number >= leadIn && typeof outcome === 'number') latencies.push(performance.now() - dueAt(number));
        if (++answered === total) return resolve();
        if (waiting.length > 0) ask(waiting.shift(), connection);
        else free.push(connection);
      });
    const ask = (number, offered = free.pop()) => {
      let connection = offered?.isOpen ? offered : undefined;
      // The server may have closed it, also while nobody used it: another takes its place.
      if (connection === undefined) open.delete(offered);
      if (connection === undefined && open.size < connections) open.add((connection = new PlainConnection(server)));
      if (connection === undefined) waiting.push(number);
      else askOn(connection, number);
    };
    let sent = 0;
    const timer = setInterval(() => {
      const due = Math.min(total, Math.floor(((performance.now() - begun) / 1000) * rate));
      while (sent < due) ask(sent++);
      if (sent === total) clearInterval(timer);
    }, 1);
  });
  const took = (performance.now() - begun) / 1000;
  for (const connection of open) connection.close();
  const accepted = statuses[expected] ?? 0;
  return { accepted, refused: total - accepted, statuses, seconds: took, latencies };
}

process.on('message', async ({ requests, ...turn }) => {
  const unpacked = requests.map((request) => ({
    ...request,
    body: request.base64 ? Buffer.from(request.body, 'base64') : request.body,
  }));
  process.send(await (turn.rate ? evenly : asFastAsPossible)({ ...turn, requests: unpacked }));
});
process.on('disconnect', () => process.exit(0));
