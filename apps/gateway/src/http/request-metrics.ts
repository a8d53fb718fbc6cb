import type { FastifyInstance } from 'fastify';
import { histogram, type Registry } from '#libs/runtime';

/** Tells how long each route takes, by the route's pattern: addresses themselves would make a series for every site. */
export function measureRequests(fastify: FastifyInstance, registry: Registry): void {
  const seconds = histogram(registry, {
    name: 'patchwatch_http_request_seconds',
    help: 'Requests of people and scripts, by route; pushes have figures of their own.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    seconds.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
    done();
  });
}
