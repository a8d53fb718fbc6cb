import { afterEach, describe, expect, it } from '@jest/globals';
import { counter, metrics, startHealthServer } from './index.js';
import type { HealthServer, Readiness } from './index.js';

let server: HealthServer | undefined;
afterEach(() => server?.close());

async function get(path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${server?.port}${path}`);
  return { status: response.status, text: await response.text() };
}

async function serve(ready: () => Promise<Readiness>, services = ['sample']): Promise<void> {
  server = await startHealthServer({
    host: '127.0.0.1',
    port: 0,
    ready,
    registry: services.map(metrics),
    readyTimeoutMs: 50,
  });
}

const YES: Readiness = { ok: true, checks: { database: { ok: true } } };

describe('startHealthServer', () => {
  it('says 200 when ready and 503 with the reason when not', async () => {
    let readiness = YES;
    await serve(() => Promise.resolve(readiness));
    expect(await get('/readyz')).toEqual({ status: 200, text: JSON.stringify(YES) });
    readiness = { ok: false, checks: { database: { ok: false, detail: 'away' } } };
    expect(await get('/readyz')).toEqual({ status: 503, text: JSON.stringify(readiness) });
    expect((await get('/healthz')).status).toBe(200);
  });

  it('takes a check that hangs or throws for a no', async () => {
    await serve(() => new Promise(() => undefined));
    expect(await get('/readyz')).toMatchObject({
      status: 503,
      text: expect.stringContaining('no answer within 50 ms'),
    });
    await server?.close();
    await serve(() => Promise.reject(new Error('broken check')));
    expect(await get('/readyz')).toMatchObject({ status: 503, text: expect.stringContaining('broken check') });
  });

  it('shows the figures of every service of the process, each metric described once', async () => {
    for (const service of ['first', 'second']) {
      counter(metrics(service), { name: 'patchwatch_pushes_total', help: 'Pushes taken.' }).inc();
      // Asking again gives the same metric and does not throw.
      counter(metrics(service), { name: 'patchwatch_pushes_total', help: 'Pushes taken.' }).inc();
    }
    await serve(() => Promise.resolve(YES), ['first', 'second']);
    const { text } = await get('/metrics');
    expect(text).toContain('patchwatch_pushes_total{service="first"} 2');
    expect(text).toContain('patchwatch_pushes_total{service="second"} 2');
    expect(text.match(/# HELP patchwatch_pushes_total/g)).toHaveLength(1);
    const names = text.split('\n').filter((line) => line.startsWith('# TYPE'));
    expect(new Set(names).size).toBe(names.length);
  });
});
