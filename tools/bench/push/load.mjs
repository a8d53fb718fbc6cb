// Sends requests from a process of its own, so that making them does not count against the server. One turn for each message.
import http from 'node:http';
import autocannon from 'autocannon';

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
 */
async function evenly({ url, requests, seconds, connections, rate, expected = 202 }) {
  const { hostname, port } = new URL(url);
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections });
  const latencies = [];
  const statuses = {};
  const total = Math.round(rate * seconds);
  let sent = 0;
  const begun = performance.now();
  const send = (due) =>
    new Promise((resolve) => {
      const { method, path, headers, body } = requests[sent % requests.length];
      const request = http.request(
        {
          hostname,
          port,
          agent,
          method,
          path,
          headers: body === undefined ? headers : { ...headers, 'content-length': Buffer.byteLength(body) },
        },
        (response) => {
          response.resume();
          response.once('end', () => {
            statuses[response.statusCode] = (statuses[response.statusCode] ?? 0) + 1;
            latencies.push(performance.now() - due);
            resolve();
          });
        },
      );
      request.once('error', (error) => {
        statuses[error.code ?? 'error'] = (statuses[error.code ?? 'error'] ?? 0) + 1;
        resolve();
      });
      request.end(body);
    });
  const answers = [];
  await new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(total, Math.floor(((performance.now() - begun) / 1000) * rate));
      for (; sent < due; sent++) answers.push(send(begun + (sent / rate) * 1000));
      if (sent < total) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  await Promise.all(answers);
  const took = (performance.now() - begun) / 1000;
  agent.destroy();
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
