import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVICES } from '#libs/contracts';
import { metrics } from '#libs/runtime';
import { eventually } from '#libs/testing';
import { otlpReceiver, type ReceivedSpan } from './otlp-receiver.js';
import { wholePlatform, type WholePlatform } from './whole-platform.js';

let collector: Awaited<ReturnType<typeof otlpReceiver>>;
let platform: WholePlatform;

beforeAll(async () => {
  process.env['OTEL_BSP_SCHEDULE_DELAY'] = '100';
  collector = await otlpReceiver();
  platform = await wholePlatform({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
}, 90_000);
afterAll(async () => {
  await platform?.stop();
  await collector?.stop();
});

/** Makes a site that pushes an old core, once. */
async function pushOfNewSite(name: string, headers: Record<string, string> = {}): Promise<string> {
  const { data } = await platform.client.request<{ site: { id: string }; key: string }>('POST', '/api/v1/sites', {
    body: { name, url: `https://${name}.example`, environment: 'prod' },
  });
  const site = data.site.id;
  const response = await fetch(`${platform.url}/api/v1/sites/${site}/modules/sync`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': data.key, ...headers },
    body: JSON.stringify({
      schema: 1,
      site_uuid: site,
      collected_at: new Date().toISOString(),
      sequence: 1,
      core: { version: '10.2.7' },
      modules: [],
    }),
  });
  expect(response.status).toBe(202);
  await eventually(
    async () => {
      const { data: rows } = await platform.client.request<unknown[]>('GET', `/api/v1/exposures?site=${site}`);
      return rows.length > 0;
    },
    { what: `the exposures of ${name}`, timeoutMs: 20_000 },
  );
  return site;
}

describe('What can be seen of the platform from outside', () => {
  it('one push can be followed by its trace from the request through every service to the alert', async () => {
    // The first site makes core's releases known, so that the second one's exposures follow from its push alone.
    await pushOfNewSite('first');
    const traceId = 'aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb';
    const parentId = 'cccccccccccccccc';
    await pushOfNewSite('second', { traceparent: `00-${traceId}-${parentId}-01` });

    const mine = (): ReceivedSpan[] => collector.spans.filter((span) => span.traceId === traceId);
    const alert = await eventually(() => mine().find(({ name }) => name === 'process notifier.exposures'), {
      what: 'the span of the alert',
    });
    // A span is told of when it ends: what led to the alert may end after it.
    await eventually(
      () => {
        const way: string[] = [];
        let at: ReceivedSpan | undefined = alert;
        for (; at !== undefined; at = mine().find(({ spanId }) => spanId === at!.parentSpanId)) {
          way.unshift(`${at.service}: ${at.name}`);
          if (at.parentSpanId === parentId) break;
        }
        expect(way).toEqual([
          'gateway: POST /api/v1/sites/:siteUuid/modules/sync',
          'ingest: process ingest.pushes',
          'reporting: process reporting.inventory',
          'notifier: process notifier.exposures',
        ]);
        const relayed = mine().filter(({ name }) => name.startsWith('publish '));
        expect(relayed.map(({ service, name }) => `${service}: ${name}`)).toEqual(
          expect.arrayContaining(['ingest: publish reporting.inventory', 'reporting: publish notifier.exposures']),
        );
        return true;
      },
      { what: 'the spans on the way to it' },
    );
    expect(mine().filter(({ failed }) => failed)).toEqual([]);
  });

  it('a question of a person has a span below that of her request', async () => {
    const answered = await eventually(
      () => collector.spans.find(({ service, name }) => service === 'reporting' && name.startsWith('reporting.')),
      { what: 'the span of a question' },
    );
    const asked = await eventually(() => collector.spans.find(({ spanId }) => spanId === answered.parentSpanId), {
      what: 'the span of the request, which ends later',
    });
    expect(asked).toMatchObject({ service: 'gateway', traceId: answered.traceId });
    expect(asked.name).toMatch(/^GET \/api\/v1\//);
  });

  it('every metric of every service stands in docs/metrics.md with type, labels and meaning, and nothing else does', () => {
    const listed = readFileSync(join(process.cwd(), 'docs', 'metrics.md'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| `patchwatch_'))
      .map((line) =>
        line
          .split('|')
          .map((cell) => cell.trim())
          .slice(1, -1)
          .join(' | '),
      );
    expect(listed).toEqual(registered());
  });
});

/** One line a metric: name, type, labels, services, meaning. */
function registered(): string[] {
  const found = new Map<string, { services: string[]; line: (services: string) => string }>();
  for (const service of [...SERVICES].sort()) {
    for (const metric of metrics(service).getMetricsAsArray()) {
      if (!metric.name.startsWith('patchwatch_')) continue;
      const { labelNames = [] } = metric as unknown as { labelNames?: string[] };
      const labels = labelNames.map((label) => `\`${label}\``).join(', ');
      const known = found.get(metric.name) ?? {
        services: [],
        line: (services: string) =>
          [`\`${metric.name}\``, String(metric.type), labels, services, metric.help].join(' | '),
      };
      known.services.push(service);
      found.set(metric.name, known);
    }
  }
  const all = SERVICES.length;
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { services, line }]) => line(services.length === all ? 'all' : services.join(', ')));
}
