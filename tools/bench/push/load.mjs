// Sends requests from a process of its own, so that making them does not count against the server. One turn for each message.
import autocannon from 'autocannon';

process.on('message', async ({ url, requests, seconds, connections, rate }) => {
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    ...(rate ? { overallRate: rate } : {}),
    requests: requests.map((request) => ({
      ...request,
      body: request.base64 ? Buffer.from(request.body, 'base64') : request.body,
    })),
  });
  process.send({
    accepted: result['2xx'],
    refused: result.non2xx + result.errors + result.timeouts,
    statuses: result.statusCodeStats,
    seconds: result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
  });
});
process.on('disconnect', () => process.exit(0));
