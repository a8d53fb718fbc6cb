import { gzipSync } from 'node:zlib';
import type { Scenario } from '../scenario.js';
import type { SiteAgent } from '../site-agent.js';
import type { Stage } from '../stage.js';

const MIB = 1024 * 1024;
/** Promised: answered quickly, and without keeping much. */
const QUICKLY_MS = 2_000;
const SMALL_GROWTH = 160 * MIB;

export const hostileBodies: Scenario = {
  number: 17,
  name: 'hostile-bodies',
  promise:
    'oversize, gzip bomb, five million nested arrays, 200,000 keys, __proto__, duplicate keys, invalid UTF-8, BOM: 4xx quickly, small memory growth, process alive',
  async run(stage) {
    const [site, ...others] = await stage.sites(1 + stage.scale(60, 20));
    const [gateway] = stage.platform.fleet('gateway');
    const load = stage.load({ sites: others, lanes: 8, perSecond: stage.scale(200, 60) });
    await stage.pass(2_000);
    const pid = gateway!.process.pid;
    const before = await gateway!.memory();
    let slowest = 0;
    const wrong: string[] = [];
    for (let round = 0; round < stage.scale(4, 1); round++) {
      for (const { name, body, gzip } of bodiesFor(site!)) {
        const { status, took } = await post(stage, site!, body, gzip);
        slowest = Math.max(slowest, took);
        if (status < 400 || status > 499) wrong.push(`${name}: ${status}`);
      }
    }
    await load.stop();
    const growth = (await gateway!.memory()) - before;
    stage.check('each is answered with 4xx', wrong.length === 0, wrong);
    stage.check(
      `each within ${QUICKLY_MS} ms`,
      slowest < stage.within(QUICKLY_MS),
      `${Math.round(slowest)} ms at most`,
    );
    stage.check('memory grows little', growth < SMALL_GROWTH, `${Math.round(growth / MIB)} MiB`);
    stage.check('the process is alive', gateway!.process.running && gateway!.process.pid === pid);
  },
};

interface Hostile {
  readonly name: string;
  readonly body: Buffer;
  readonly gzip: boolean;
}

function bodiesFor(site: SiteAgent): Hostile[] {
  const good = site.next().body.toString('utf8');
  const withMember = (member: string): Buffer => Buffer.from(`${good.slice(0, -1)},${member}}`);
  const plain = (name: string, body: Buffer): Hostile => ({ name, body, gzip: false });
  return [
    plain('oversize', Buffer.alloc(64 * MIB, 0x20)),
    { name: 'gzip bomb', body: gzipSync(Buffer.alloc(512 * MIB)), gzip: true },
    { name: 'a bomb of bombs', body: gzipSync(gzipSync(Buffer.alloc(128 * MIB))), gzip: true },
    { name: 'five million nested arrays', body: gzipSync(Buffer.from('['.repeat(5_000_000))), gzip: true },
    {
      name: 'closed, nested',
      body: gzipSync(Buffer.from(`${'['.repeat(2_500_000)}${']'.repeat(2_500_000)}`)),
      gzip: true,
    },
    {
      name: '200,000 keys',
      body: gzipSync(withMember(Array.from({ length: 200_000 }, (_, i) => `"k${i}":0`).join(','))),
      gzip: true,
    },
    plain('__proto__', withMember('"__proto__":{"polluted":true}')),
    plain('a duplicate key', withMember('"sequence":9')),
    plain(
      'invalid UTF-8',
      Buffer.concat([Buffer.from('{"schema":1,"site_name":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
    ),
    plain('a byte order mark and nothing', Buffer.from([0xef, 0xbb, 0xbf])),
    plain('half a document', Buffer.from(good.slice(0, good.length / 2))),
    { name: 'no gzip', body: Buffer.from(good), gzip: true },
  ];
}

/** A connection of its own each: a server may cut one off in the middle of a body that is too large. */
async function post(
  stage: Stage,
  site: SiteAgent,
  body: Buffer,
  gzip: boolean,
): Promise<{ status: number; took: number }> {
  const started = performance.now();
  const answer = await fetch(`${stage.client.gateways[0]}/api/v1/sites/${site.uuid}/modules/sync`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-api-key': site.key,
      connection: 'close',
      ...(gzip ? { 'content-encoding': 'gzip' } : {}),
    },
    body: new Uint8Array(body),
  }).catch((error: unknown) => error as Error);
  const took = performance.now() - started;
  // Cut off while still sending: the answer was there before, and this client does not read it.
  if (answer instanceof Error) return { status: 413, took };
  await answer.arrayBuffer();
  return { status: answer.status, took };
}
