// What the push path is compared with: bare Fastify that parses, validates by ajv against the same contract and appends the received bytes by
// XADD; no key, no rate limit, no envelope. `PATCHWATCH_BENCH_PARSE=0`: node:http and XADD alone, the limit of the machine.
import http from 'node:http';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { fastify } from 'fastify';
import { Redis } from 'ioredis';
import { FullPush } from '#libs/contracts';

const redis = new Redis(process.env.PATCHWATCH_STREAMS_URL, { enableAutoPipelining: true });
const stream = 'bench:{baseline}';

async function bareFastify() {
  const ajv = new Ajv({ strict: false });
  addFormats.default(ajv);
  const validate = ajv.compile(FullPush);
  const app = fastify({ bodyLimit: 2 * 1024 * 1024 });
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    request.received = body;
    try {
      done(null, JSON.parse(body.toString()));
    } catch (error) {
      done(error);
    }
  });
  app.post('/api/v1/sites/:siteUuid/modules/sync', async (request, reply) => {
    if (!validate(request.body)) return reply.code(422).send({ errors: validate.errors });
    await redis.xadd(stream, '*', 'body', request.received);
    return reply.code(202).send({ data: { push_id: request.body.push_id ?? null, state: 'queued' } });
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server;
}

async function bareNode() {
  const answer = '{"data":{"state":"queued"}}';
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      redis.xadd(stream, '*', 'body', Buffer.concat(chunks)).then(
        () => {
          response.writeHead(202, { 'content-type': 'application/json', 'content-length': answer.length });
          response.end(answer);
        },
        () => response.writeHead(503).end(),
      );
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const server = await (process.env.PATCHWATCH_BENCH_PARSE === '0' ? bareNode() : bareFastify());
process.on('message', () => process.send({ cpu: process.cpuUsage() }));
process.on('disconnect', () => process.exit(0));
process.send({ url: `http://127.0.0.1:${server.address().port}` });
