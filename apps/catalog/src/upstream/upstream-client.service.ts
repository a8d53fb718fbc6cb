import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { pipeline, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Clock } from '#libs/runtime';
import { systemTimers, type Timers } from '../timers.js';
import { FetchFailure } from './fetch-failure.js';
import { HostGate } from './host-gate.js';
import { ipFamily, isPublicAddress } from './public-address.js';
import type { Expected, Fetched, UpstreamPort, Validators } from './upstream-port.js';
import type { UpstreamSettings } from './upstream-settings.js';

/** What is asked for, how it is told, and its most bytes after decompression. JSON is parsed in one go: so many take less than 50 ms. */
const KINDS: Readonly<Record<Expected, { readonly accept: string; readonly type: RegExp; readonly maxBytes: number }>> =
  {
    xml: { accept: 'text/xml', type: /^[a-z]+\/([a-z.-]+\+)?xml\b/i, maxBytes: 16 * 1024 * 1024 },
    json: { accept: 'application/json', type: /^application\/([a-z.-]+\+)?json\b/i, maxBytes: 4 * 1024 * 1024 },
  };
/** Types that say nothing, as servers of plain files send them: the reader decides, and it is strict. */
const NO_TYPE = /^((application|binary)\/octet-stream|text\/plain)?\s*(;|$)/i;
const MAX_REDIRECTS = 3;
const USER_AGENT = 'Patchwatch/0.1 (release monitoring)';

/**
 * Fetches documents from the configured upstream and from nowhere else. Every error branch is a `FetchFailure` with a code:
 * wrong address, redirect to another host, status, Retry-After, time-out, a body that is too large, cut short or of another kind.
 * A public upstream is asked on ports 80 and 443 only, and only at public addresses; the address that was checked is the one connected to.
 */
export class UpstreamClient implements UpstreamPort {
  private readonly gates = new Map<string, HostGate>();
  private readonly http: HttpAgent;
  private readonly https: HttpsAgent;

  constructor(
    private readonly settings: UpstreamSettings,
    private readonly clock: Clock,
    private readonly resolve: typeof dnsLookup = dnsLookup,
    private readonly timers: Timers = systemTimers,
  ) {
    const options = { keepAlive: true, keepAliveMsecs: 5_000, maxSockets: settings.concurrency };
    this.http = new HttpAgent(options);
    this.https = new HttpsAgent(options);
  }

  /** Milliseconds for which the host of `base` is left alone. */
  pausedForMs(base: string): number {
    return this.gates.get(new URL(base).host)?.pausedForMs() ?? 0;
  }

  /** Requests that wait for their turn, over all hosts. */
  get held(): number {
    return [...this.gates.values()].reduce((sum, gate) => sum + gate.held, 0);
  }

  /** @throws FetchFailure */
  async get(url: string, validators: Validators | null, expected: Expected = 'xml'): Promise<Fetched> {
    const target = new URL(url);
    return await this.gate(target.host).pass(() => this.follow(target, validators, expected));
  }

  close(): void {
    this.http.destroy();
    this.https.destroy();
  }

  private gate(host: string): HostGate {
    let gate = this.gates.get(host);
    if (!gate) {
      const { concurrency, advisoryConcurrency, advisoryBase, ratePerSecond } = this.settings;
      const ofAdvisories = host === new URL(advisoryBase).host;
      gate = new HostGate({
        concurrency: ofAdvisories ? advisoryConcurrency : concurrency,
        ratePerSecond,
        clock: this.clock,
        timers: this.timers,
      });
      this.gates.set(host, gate);
    }
    return gate;
  }

  private async follow(first: URL, validators: Validators | null, expected: Expected): Promise<Fetched> {
    // One time limit for all of it, so that a slow drip of bytes or hops cannot hold a place for ever.
    const signal = AbortSignal.timeout(this.settings.timeoutMs);
    let url = first;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const response = await this.send(url, { validators, expected }, signal);
      const status = response.statusCode ?? 0;
      if (status === 304) {
        response.resume();
        if (!validators) throw new FetchFailure('http_status', 'a 304 without a condition', { status });
        return { kind: 'not_modified' };
      }
      if ([301, 302, 303, 307, 308].includes(status)) {
        response.resume();
        url = this.redirectTarget(first, url, response.headers.location);
        continue;
      }
      if (status !== 200) {
        response.resume();
        const retryAfterMs = readRetryAfter(response.headers['retry-after'], this.clock.now());
        const details = { status, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
        throw new FetchFailure(status === 429 ? 'rate_limited' : 'http_status', `status ${status}`, details);
      }
      return await this.readDocument(response, expected, signal);
    }
    throw new FetchFailure('redirect_refused', `more than ${MAX_REDIRECTS} redirects`);
  }

  private redirectTarget(first: URL, from: URL, location: string | undefined): URL {
    if (!location || !URL.canParse(location, from.href))
      throw new FetchFailure('redirect_refused', 'a redirect to nowhere');
    const target = new URL(location, from);
    if (target.host !== first.host || (first.protocol === 'https:' && target.protocol !== 'https:')) {
      throw new FetchFailure('redirect_refused', `a redirect to another host (${target.host.slice(0, 100)})`);
    }
    return target;
  }

  private send(
    url: URL,
    asked: { readonly validators: Validators | null; readonly expected: Expected },
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const { validators, expected } = asked;
    this.checkTarget(url);
    const secure = url.protocol === 'https:';
    return new Promise((resolve, reject) => {
      const request = (secure ? httpsRequest : httpRequest)(url, {
        method: 'GET',
        agent: secure ? this.https : this.http,
        lookup: this.checkedLookup,
        signal,
        headers: {
          accept: KINDS[expected].accept,
          'accept-encoding': 'gzip',
          'user-agent': USER_AGENT,
          ...(validators?.etag ? { 'if-none-match': validators.etag } : {}),
          ...(validators?.lastModified ? { 'if-modified-since': validators.lastModified } : {}),
        },
      });
      request.on('error', (error) => {
        // The server closed an idle connection at the moment it was used again: nothing was asked yet.
        const stale = request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET' && !signal.aborted;
        if (stale) this.send(url, asked, signal).then(resolve, reject);
        else reject(asFailure(error, signal));
      });
      request.on('response', resolve);
      request.end();
    });
  }

  private checkTarget(url: URL): void {
    if (url.protocol !== 'https:' && url.protocol !== 'http:') {
      throw new FetchFailure('address_refused', `not a web address (${url.protocol})`);
    }
    if (this.settings.local) return;
    if (url.port !== '' && url.port !== '80' && url.port !== '443') {
      throw new FetchFailure('address_refused', `port ${url.port} is not asked`);
    }
    const literal = url.hostname.replace(/^\[|\]$/g, '');
    if (ipFamily(literal) !== 0 && !isPublicAddress(literal))
      throw new FetchFailure('address_refused', 'not a public address');
  }

  /** Resolves and checks in one step: the socket connects to what was checked, whatever the name says a moment later. */
  private readonly checkedLookup: LookupFunction = (hostname, options, callback) => {
    this.resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const list = addresses;
      const allowed = this.settings.local ? list : list.filter(({ address }) => isPublicAddress(address));
      const first = allowed[0];
      if (!first) {
        return callback(new FetchFailure('address_refused', `${hostname} has no public address`), '', 0);
      }
      if (options.all) return (callback as unknown as (e: null, list: LookupAddress[]) => void)(null, allowed);
      callback(null, first.address, first.family);
    });
  };

  private async readDocument(response: IncomingMessage, expected: Expected, signal: AbortSignal): Promise<Fetched> {
    const type = response.headers['content-type'] ?? '';
    if (!KINDS[expected].type.test(type) && !NO_TYPE.test(type)) {
      response.destroy();
      throw new FetchFailure('wrong_content_type', `not ${expected.toUpperCase()} but ${type.slice(0, 80)}`);
    }
    const body = await readBody(response, KINDS[expected].maxBytes, signal);
    return {
      kind: 'document',
      body,
      validators: {
        etag: response.headers.etag ?? null,
        lastModified: response.headers['last-modified'] ?? null,
      },
    };
  }
}

function readBody(response: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > maxBytes) return done(new FetchFailure('too_large', `more than ${maxBytes} bytes`));
      chunks.push(chunk);
      done();
    },
  });
  return new Promise((resolve, reject) => {
    const end = (error: Error | null | undefined): void => {
      if (error) reject(asFailure(error, signal));
      else resolve(Buffer.concat(chunks));
    };
    switch (response.headers['content-encoding'] ?? 'identity') {
      case 'identity':
        return void pipeline(response, counter, end);
      case 'gzip':
      case 'x-gzip':
        return void pipeline(response, createGunzip(), counter, end);
      case 'deflate':
        return void pipeline(response, createInflate(), counter, end);
      case 'br':
        return void pipeline(response, createBrotliDecompress(), counter, end);
      default:
        response.destroy();
        reject(new FetchFailure('wrong_content_type', 'a content encoding that was not asked for'));
    }
    counter.resume();
  });
}

function asFailure(error: Error, signal: AbortSignal): FetchFailure {
  for (let link: unknown = error; link instanceof Error; link = link.cause)
    if (link instanceof FetchFailure) return link;
  if (signal.aborted) return new FetchFailure('timeout', 'no whole answer in time', { cause: error });
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (
    code === 'ERR_STREAM_PREMATURE_CLOSE' ||
    code === 'ECONNRESET' ||
    code.startsWith('Z_') ||
    error.message === 'aborted'
  ) {
    return new FetchFailure('cut_short', `the answer broke off (${code || error.message})`, { cause: error });
  }
  return new FetchFailure('network', code || error.message, { cause: error });
}

/** @returns milliseconds from now, at least 0; null: not said or not understood */
export function readRetryAfter(value: string | undefined, now: Date): number | null {
  if (value === undefined) return null;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - now.getTime());
}
