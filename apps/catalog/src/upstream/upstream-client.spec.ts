import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { lookup } from 'node:dns';
import { ManualClock } from '#libs/testing';
import { OddUpstream } from '../../test/odd-upstream.js';

const XML = { 'content-type': 'text/xml; charset=utf-8' };

describe('the upstream client', () => {
  const clock = new ManualClock('2026-03-03T10:00:00Z');
  let upstream: OddUpstream;
  let base: string;

  beforeEach(async () => {
    upstream = await OddUpstream.start(clock);
    base = upstream.base;
  });
  afterEach(() => upstream.stop());
  const failureOf = (work: Promise<unknown>) =>
    work.then(
      () => 'no failure',
      (error: { code?: string }) => error.code,
    );

  it('follows redirects on the same host only, and not for ever', async () => {
    upstream.answer = (url, response) => {
      if (url === '/there') response.writeHead(200, XML).end('<a/>');
      else if (url === '/same') response.writeHead(302, { location: '/there' }).end();
      else if (url === '/circle') response.writeHead(302, { location: '/circle' }).end();
      else response.writeHead(302, { location: 'http://localhost:1/there' }).end();
    };
    const client = upstream.clientFor(base);
    expect(await client.get(`${base}/same`, null)).toMatchObject({ kind: 'document', body: Buffer.from('<a/>') });
    expect(await failureOf(client.get(`${base}/circle`, null))).toBe('redirect_refused');
    expect(await failureOf(client.get(`${base}/elsewhere`, null))).toBe('redirect_refused');
  });

  it('takes a type that says nothing, as servers of plain files send it, for what was asked for, and no other', async () => {
    upstream.answer = (url, response) => {
      const type = decodeURIComponent(url.slice(1));
      response.writeHead(200, type === '' ? {} : { 'content-type': type }).end('<a/>');
    };
    const client = upstream.clientFor(base);
    const taken = async (type: string) =>
      (await failureOf(client.get(`${base}/${encodeURIComponent(type)}`, null))) === 'no failure';
    for (const type of ['', 'text/xml', 'application/rss+xml; charset=utf-8', 'application/octet-stream', 'text/plain'])
      expect([type, await taken(type)]).toEqual([type, true]);
    for (const type of ['text/html', 'application/json', 'text/plainer', 'image/png'])
      expect([type, await taken(type)]).toEqual([type, false]);
  });

  it('gives up on an answer that drips', async () => {
    upstream.answer = (_, response) => {
      response.writeHead(200, XML);
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    };
    const client = upstream.clientFor(base, { PATCHWATCH_UPSTREAM_TIMEOUT_MS: '200' });
    expect(await failureOf(client.get(`${base}/slow`, null))).toBe('timeout');
  });

  it('leaves a host alone after five failures in a row, lets one request try after the pause, and goes on when it succeeds', async () => {
    let broken = true;
    upstream.answer = (_, response) => {
      if (broken) response.writeHead(500).end();
      else response.writeHead(200, XML).end('<a/>');
    };
    const client = upstream.clientFor(base);
    for (let i = 0; i < 5; i++) expect(await failureOf(client.get(base, null))).toBe('http_status');
    expect(client.pausedForMs(base)).toBeGreaterThan(10_000);
    expect(await failureOf(client.get(base, null))).toBe('host_paused');
    expect(upstream.seen).toHaveLength(5);

    clock.advance(30_000);
    expect(client.pausedForMs(base)).toBe(0);
    const tries = await Promise.all([1, 2, 3].map(() => failureOf(client.get(base, null))));
    expect(tries.sort()).toEqual(['host_paused', 'host_paused', 'http_status']);
    expect(client.pausedForMs(base)).toBeGreaterThan(20_000);

    clock.advance(60_000);
    broken = false;
    expect(await failureOf(client.get(base, null))).toBe('no failure');
    expect(await Promise.all([1, 2, 3].map(() => failureOf(client.get(base, null))))).toEqual(
      Array(3).fill('no failure'),
    );
  });

  it('holds everything back for as long as Retry-After says', async () => {
    upstream.answer = (_, response) => void response.writeHead(429, { 'retry-after': '120' }).end();
    const client = upstream.clientFor(base);
    expect(await failureOf(client.get(base, null))).toBe('rate_limited');
    expect(client.pausedForMs(base)).toBe(120_000);
    expect(await failureOf(client.get(base, null))).toBe('host_paused');
  });

  it('asks no faster than it may', async () => {
    upstream.answer = (_, response) => void response.writeHead(200, XML).end('<a/>');
    const client = upstream.clientFor(base, { PATCHWATCH_UPSTREAM_RATE: '50' });
    const started = performance.now();
    await Promise.all(Array.from({ length: 11 }, () => client.get(base, null)));
    expect(performance.now() - started).toBeGreaterThanOrEqual(195);
  });

  it('connects to a public upstream at public addresses only, and to the one it has checked', async () => {
    upstream.answer = (_, response) => void response.writeHead(200, XML).end('<a/>');
    // Answers with a public address first and with loopback ever after, as a rebinding name server would.
    const asked: string[] = [];
    const rebinding = ((name: string, _: unknown, callback: (e: null, list: object[]) => void) => {
      asked.push(name);
      callback(null, [{ address: '127.0.0.1', family: 4 }]);
    }) as unknown as typeof lookup;
    const client = upstream.clientFor('http://updates.example.org', {}, rebinding);
    expect(await failureOf(client.get('http://updates.example.org/x', null))).toBe('address_refused');
    expect(await failureOf(client.get('http://127.0.0.1/x', null))).toBe('address_refused');
    expect(await failureOf(client.get('http://[::ffff:10.0.0.1]/x', null))).toBe('address_refused');
    expect(await failureOf(client.get('http://updates.example.org:6379/x', null))).toBe('address_refused');
    expect(await failureOf(client.get('file:///etc/passwd', null))).toBe('address_refused');
    expect(asked).toEqual(['updates.example.org']);
    expect(upstream.seen).toEqual([]);
  });
});
