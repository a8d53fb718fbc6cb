// Lets the catalog follow documents as long as they may be, and prints as JSON for how long its event loop was held. A process of its own: in
// that of a test runner the garbage of other suites is collected in the middle of the measurement.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { moduleSync } from '#libs/contracts';
import { eventually, ManualClock } from '#libs/testing';
import { catalogBox } from './catalog-in-a-box.js';

const MOST_BYTES = 16 * 1024 * 1024;

/** A history of 16 MB; `releases` share it, each with as much that nobody reads. */
function history(project: string, releases: number): Buffer {
  const head = `<?xml version="1.0"?><project><title>${project}</title><short_name>${project}</short_name><supported_branches>1.</supported_branches><releases>`;
  const tail = '</releases></project>';
  const room = Math.floor((MOST_BYTES - head.length - tail.length) / releases);
  const rows = Array.from({ length: releases }, (_, place) => {
    const version = `1.${Math.floor(place / 100)}.${place % 100}`;
    const row = `<release><version>${version}</version><status>published</status><release_link>https://www.drupal.org/project/${project}/releases/${version}</release_link><date>1700000000</date><terms><term><name>Release type</name><value>Bug fixes</value></term></terms><files><md5></md5></files></release>`;
    return row.replace('<md5>', `<md5>${'d41d8cd9 '.repeat(Math.max(0, Math.floor((room - row.length) / 9)))}`);
  });
  return Buffer.from(head + rows.join('') + tail);
}

function feed(): Buffer {
  const text = `&lt;div class="field field-name-project-machine-name"&gt;&lt;div&gt;&lt;/div&gt;&lt;div class="field-items"&gt;&lt;div class="field-item"&gt;thing&lt;/div&gt;&lt;/div&gt;&lt;/div&gt;${'&lt;p&gt;words '.repeat(3_900)}`;
  const items = Array.from(
    { length: 240 },
    (_, place) =>
      `<item><title>Thing - Critical - SA-CONTRIB-2026-${place}</title><link>https://www.drupal.org/sa-contrib-2026-${place}</link><description>${text}</description><pubDate>Wed, 04 Mar 2026 17:00:00 +0000</pubDate></item>`,
  );
  return Buffer.from(`<?xml version="1.0"?><rss version="2.0"><channel>${items.join('')}</channel></rss>`);
}

function archive(): Buffer {
  const words = '<p>words '.repeat(8_000);
  const list = Array.from({ length: 50 }, (_, place) => ({
    title: `Thing - Critical - SA-CONTRIB-2025-${place}`,
    url: `https://www.drupal.org/sa-contrib-2025-${place}`,
    created: '1767225600',
    changed: '1767225600',
    field_is_psa: '0',
    field_project: { id: '42', machine_name: 'thing' },
    field_sa_description: { value: words },
  }));
  const self = 'https://www.drupal.org/api-d7/node?type=sa';
  return Buffer.from(JSON.stringify({ self, first: self, last: self, list }));
}

/** Of the main thread alone where the system tells (Linux): helpers of the garbage collector hold up nobody. */
const SCHEDSTAT = `/proc/self/task/${process.pid}/schedstat`;
const threadMs: () => number = existsSync(SCHEDSTAT)
  ? () => Number(readFileSync(SCHEDSTAT, 'utf8').split(' ')[0]) / 1e6
  : () => (process.cpuUsage().user + process.cpuUsage().system) / 1_000;

/** The longest time that the event loop was held, in milliseconds of processor time: what else the machine does must not count. */
function longestStretch(): { stop(): number } {
  let longest = 0;
  let running = true;
  let last = threadMs();
  const turn = (): void => {
    longest = Math.max(longest, threadMs() - last);
    last = threadMs();
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  return {
    stop() {
      running = false;
      return longest;
    },
  };
}

const bodies: Record<string, [type: string, body: Buffer]> = {
  '/release-history/long/current': ['text/xml', history('long', 6_000)],
  '/release-history/too_long/current': ['text/xml', history('too_long', 24_000)],
  '/security/all/rss.xml': ['application/rss+xml', feed()],
  '/api-d7/node.json': ['application/json', archive()],
};
/** Answers are held back until the service has started, whose start is not what is measured. */
let begin: () => void = () => undefined;
const begun = new Promise<void>((resolve) => (begin = resolve));
const server = createServer((request, response) => {
  const [type, body] = bodies[(request.url ?? '').split('?')[0]!] ?? ['text/xml', Buffer.from('<error/>')];
  void begun.then(() => response.writeHead(200, { 'content-type': type }).end(body));
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const box = await catalogBox(new ManualClock('2026-03-05T10:00:00Z'));
try {
  await box.start(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { beat: { pollMs: 20 } });
  await box.see('long', 'too_long');
  await eventually(async () => (await box.ask(moduleSync, { module: 'too_long' })) !== null, {
    what: 'both to be followed',
  });
  const stretch = longestStretch();
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  begin();
  const state = (module: string) => box.ask(moduleSync, { module });
  await eventually(async () => (await state('long'))?.outcome === 'ok', {
    what: 'long to be known',
    timeoutMs: 60_000,
  });
  await eventually(async () => (await state('too_long'))?.sync?.last_failure_code === 'too_complex', {
    what: 'too_long to be refused',
    timeoutMs: 60_000,
  });
  await eventually(
    async () => (await box.sql.query('SELECT count(*)::int AS count FROM advisories'))[0].count === 290,
    { what: 'both kinds of advisories to be known', timeoutMs: 60_000 },
  );
  delay.disable();
  const figures = {
    heldMs: stretch.stop(),
    delayP99Ms: delay.percentile(99) / 1e6,
    delayMaxMs: delay.max / 1e6,
    megabytes: Object.fromEntries(Object.entries(bodies).map(([path, [, body]]) => [path, body.length / 2 ** 20])),
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} finally {
  await box.close();
  server.closeAllConnections();
  server.close();
}
