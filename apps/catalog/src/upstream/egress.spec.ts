import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { lookup, LookupAddress } from 'node:dns';
import { gzipSync } from 'node:zlib';
import { readReleaseHistory } from '#libs/drupal';
import { ManualClock } from '#libs/testing';
import { readFeed } from '../advisory/feed-reader.js';
import { labelledFields, linkTargets, visibleText } from '../advisory/labelled-fields.js';
import { OddUpstream } from '../../test/odd-upstream.js';

/** The rules for what goes out and comes in, by their numbers in the project's list of security rules. */
const XML = { 'content-type': 'text/xml; charset=utf-8' };
const PUBLIC = 'https://updates.example.org';

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no failure',
    (error: { code?: string }) => error.code ?? 'a failure without a code',
  );

describe('what the catalog asks for', () => {
  const clock = new ManualClock('2026-03-03T10:00:00Z');
  let upstream: OddUpstream;
  let base: string;

  beforeEach(async () => {
    upstream = await OddUpstream.start(clock);
    base = upstream.base;
  });
  afterEach(() => upstream.stop());

  it.each([
    'file:///etc/passwd',
    'gopher://updates.example.org/x',
    'ftp://updates.example.org/x',
    'data:text/xml,<a/>',
    'http://updates.example.org:6379/x',
    'https://updates.example.org:22/x',
    'https://updates.example.org:8443/x',
  ])('S55: is on the web and on its ports only, not %s', async (url) => {
    const resolve = (() => {
      throw new Error('a name was looked up');
    }) as unknown as typeof lookup;
    expect(await codeOf(upstream.clientFor(PUBLIC, {}, resolve).get(url, null))).toBe('address_refused');
  });

  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://0.0.0.0/',
    'http://10.0.0.1/',
    'http://172.16.0.1/',
    'http://192.168.0.1/',
    'http://100.64.0.1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[::1]/',
    'http://[::]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[fe80::1]/',
    'http://[fd00:ec2::254]/',
  ])('S56: has a public address, not %s', async (url) => {
    expect(await codeOf(upstream.clientFor(PUBLIC).get(url, null))).toBe('address_refused');
  });

  it('S57: is connected to at the very address that was checked, however a name changes its mind', async () => {
    const answers = ['8.8.8.8', '127.0.0.1', '8.8.4.4', '10.0.0.1'];
    let asked = 0;
    const rebinding = ((_: string, __: unknown, callback: (error: null, list: LookupAddress[]) => void) => {
      const mixed = [answers[asked % answers.length]!, '169.254.169.254'];
      asked += 1;
      callback(
        null,
        mixed.map((address) => ({ address, family: 4 })),
      );
    }) as unknown as typeof lookup;
    const client = upstream.clientFor(PUBLIC, {}, rebinding);
    // What the socket is given: one look-up a connection, and nothing of it that was not checked.
    const { checkedLookup } = client as unknown as {
      checkedLookup: (
        name: string,
        options: { all: boolean },
        callback: (error: { code?: string } | null, list: LookupAddress[] | string) => void,
      ) => void;
    };
    const given = answers.map(
      () =>
        new Promise((resolve) =>
          checkedLookup('updates.example.org', { all: true }, (error, list) => resolve(error?.code ?? list)),
        ),
    );
    expect(await Promise.all(given)).toEqual([
      [{ address: '8.8.8.8', family: 4 }],
      'address_refused',
      [{ address: '8.8.4.4', family: 4 }],
      'address_refused',
    ]);
    expect(asked).toBe(answers.length);
  });

  it('S58: is asked for again at each redirect by the same rules, three times at most', async () => {
    upstream.answer = (url, response) => {
      const hop = /^\/hop(\d+)$/.exec(url)?.[1];
      if (hop === '0') response.writeHead(200, XML).end('<a/>');
      else if (hop) response.writeHead(302, { location: `/hop${Number(hop) - 1}` }).end();
      else if (url === '/metadata') response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
      else if (url === '/file') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
      else response.writeHead(307, { location: 'http://[::1]:1/' }).end();
    };
    const client = upstream.clientFor(base);
    expect(await codeOf(client.get(`${base}/hop3`, null))).toBe('no failure');
    const refused = ['/hop4', '/metadata', '/file', '/elsewhere'];
    expect(await Promise.all(refused.map((path) => codeOf(client.get(base + path, null))))).toEqual(
      refused.map(() => 'redirect_refused'),
    );
  });

  it('S59: may take so long, so many bytes after decompression, and so many connections', async () => {
    const gigabyte = Buffer.concat(Array<Buffer>(16).fill(gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '))));
    let together = 0;
    let most = 0;
    upstream.answer = (url, response) => {
      if (url === '/bomb') return void response.writeHead(200, { ...XML, 'content-encoding': 'gzip' }).end(gigabyte);
      if (url === '/drip') {
        response.writeHead(200, XML);
        const timer = setInterval(() => response.write(' '), 20);
        return void response.on('close', () => clearInterval(timer));
      }
      together += 1;
      most = Math.max(most, together);
      setTimeout(() => {
        together -= 1;
        response.writeHead(200, XML).end('<a/>');
      }, 20);
    };
    const client = upstream.clientFor(base, {
      PATCHWATCH_UPSTREAM_CONCURRENCY: '3',
      PATCHWATCH_UPSTREAM_TIMEOUT_MS: '5000',
    });
    expect(await codeOf(client.get(`${base}/bomb`, null))).toBe('too_large');
    const impatient = upstream.clientFor(base, { PATCHWATCH_UPSTREAM_TIMEOUT_MS: '200' });
    expect(await codeOf(impatient.get(`${base}/drip`, null))).toBe('timeout');
    await Promise.all(Array.from({ length: 12 }, (_, place) => client.get(`${base}/${place}`, null)));
    expect(most).toBe(3);
  });

  it('S60: leaves of an answer that was refused nothing but its status, type or length', async () => {
    const secret = 'a secret of somebody’s';
    upstream.answer = (url, response) => {
      if (url === '/error') response.writeHead(500, XML).end(secret);
      else response.writeHead(200, { 'content-type': `text/html; ${'x'.repeat(5_000)}` }).end(secret);
    };
    for (const path of ['/error', '/type']) {
      const error = await upstream
        .clientFor(base)
        .get(base + path, null)
        .catch((caught: Error) => caught);
      expect((error as Error).message).not.toContain('secret');
      expect((error as Error).message.length).toBeLessThan(200);
    }
  });
});

describe('S61: a document of upstream’s', () => {
  const laughs = `<!DOCTYPE project [<!ENTITY a "ha">${Array.from({ length: 9 }, (_, place) => `<!ENTITY ${String.fromCharCode(98 + place)} "${`&${String.fromCharCode(97 + place)};`.repeat(10)}">`).join('')}]>`;
  const quadratic = `<!DOCTYPE project [<!ENTITY a "${'a'.repeat(100_000)}">]>`;
  const external = '<!DOCTYPE project [<!ENTITY x SYSTEM "file:///etc/passwd">]>';
  const history = (inside: string) => `<project><short_name>x</short_name>${inside}<releases/></project>`;
  const feed = (inside: string) => `<rss><channel>${inside}</channel></rss>`;

  it.each([
    ['that laughs a billion times', laughs],
    ['that repeats one long entity', quadratic],
    ['that asks for a file', external],
  ])('%s is refused for its document type, before anything is read', async (_, doctype) => {
    expect(() => readReleaseHistory(Buffer.from(doctype + history('&j;')))).toThrow(
      expect.objectContaining({ code: 'doctype' }),
    );
    expect(await codeOf(readFeed(doctype + feed('&j;')))).toBe('doctype');
  });

  it('nests no deeper, has no more entries and no longer texts than one of its kind', async () => {
    const deep = '<a>'.repeat(50_000) + '</a>'.repeat(50_000);
    expect(() => readReleaseHistory(Buffer.from(history(deep)))).toThrow(expect.objectContaining({ code: 'too_deep' }));
    expect(await codeOf(readFeed(feed(deep)))).toBe('too_deep');
    expect(await codeOf(readFeed(feed('<item><title>a</title></item>'.repeat(300_000))))).toBe('too_large');
    expect(await codeOf(readFeed(feed(`<item><description>${'a'.repeat(300_000)}</description></item>`)))).toBe(
      'too_large',
    );
    const releases = `<releases>${'<release><version>1</version></release>'.repeat(1_000)}</releases>`;
    expect(() => readReleaseHistory(Buffer.from(`<project>${releases.repeat(1)}`))).toThrow();
  });

  it('reaches no prototype', async () => {
    const read = readReleaseHistory(
      Buffer.from(history('<__proto__><polluted>yes</polluted></__proto__><constructor>x</constructor>')),
    );
    expect([Object.getPrototypeOf(read), 'polluted' in {}]).toEqual([Object.prototype, false]);
    const items = await readFeed(feed('<item><__proto__>x</__proto__><title>a</title></item>'));
    expect(items).toEqual([{ title: 'a', link: '', description: '', published: '' }]);
  });

  it('is read in time that grows with its length, however crooked its HTML', () => {
    // Each would take minutes with an expression that looks again from every beginning.
    for (const crooked of ['<', '<!--', '<div class="', '<a href="', '<a ', '&#', '<div>']) {
      const html = crooked.repeat(256_000 / crooked.length);
      const begun = process.cpuUsage();
      labelledFields(html);
      visibleText(html);
      linkTargets(html);
      const { user, system } = process.cpuUsage(begun);
      expect([crooked, (user + system) / 1_000 < 2_000]).toEqual([crooked, true]);
    }
  });
});
