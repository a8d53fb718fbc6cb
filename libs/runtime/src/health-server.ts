import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { Readiness } from './running-service.js';

export interface HealthServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly ready: () => Promise<Readiness>;
  /** One or several: a process with several services shows the figures of all. */
  readonly registry: Registry | readonly Registry[];
  /** How long one readiness check may take before it counts as "no", in milliseconds. Default 3,000. */
  readonly readyTimeoutMs?: number;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `/healthz` (200 while the process turns its event loop), `/readyz` (200 when the service can do its work, else 503; both
 * with the checks as JSON) and `/metrics` (Prometheus text). On a port of its own, so that probes are not queued behind traffic.
 * @throws when the port is taken.
 */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    answer(request, response, options).catch((error: unknown) => {
      sendJson(response, 500, { error: error instanceof Error ? error.message : 'unknown' });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, options: HealthServerOptions): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    sendJson(response, 405, { error: 'only GET' });
    return;
  }
  switch (request.url?.split('?')[0]) {
    case '/healthz':
      sendJson(response, 200, { ok: true });
      return;
    case '/readyz': {
      const readiness = await boundedReadiness(options.ready, options.readyTimeoutMs ?? 3_000);
      sendJson(response, readiness.ok ? 200 : 503, readiness);
      return;
    }
    case '/metrics': {
      const registries = 'getMetricsAsJSON' in options.registry ? [options.registry] : options.registry;
      const texts = await Promise.all(registries.map((registry) => registry.metrics()));
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
      response.end(joinMetrics(texts));
      return;
    }
    default:
      sendJson(response, 404, { error: 'only /healthz, /readyz and /metrics are here' });
  }
}

/** A check that hangs is a "no": a probe must always get its answer. */
export async function boundedReadiness(ready: () => Promise<Readiness>, timeoutMs: number): Promise<Readiness> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Readiness>((resolve) => {
    timer = setTimeout(() => {
      resolve({ ok: false, checks: { answer: { ok: false, detail: `no answer within ${timeoutMs} ms` } } });
    }, timeoutMs);
  });
  try {
    return await Promise.race([ready(), late]);
  } catch (error) {
    return { ok: false, checks: { answer: { ok: false, detail: error instanceof Error ? error.message : 'unknown' } } };
  } finally {
    clearTimeout(timer);
  }
}

/** Prometheus wants one HELP and one TYPE line per metric, and its series together, even when several services have it. */
function joinMetrics(texts: readonly string[]): string {
  if (texts.length === 1) return texts[0] ?? '';
  const families = new Map<string, { head: string[]; series: string[] }>();
  for (const text of texts) {
    let family: { head: string[]; series: string[] } | undefined;
    let first = false;
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const name = /^# HELP (\S+)/.exec(line)?.[1];
      if (name !== undefined) {
        first = !families.has(name);
        family = families.get(name) ?? { head: [], series: [] };
        families.set(name, family);
      }
      if (line.startsWith('#')) {
        if (first) family?.head.push(line);
      } else family?.series.push(line);
    }
  }
  return `${[...families.values()].flatMap((family) => [...family.head, ...family.series]).join('\n')}\n`;
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
