import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { nodeJson, type ApiOptions } from './advisory-api.js';
import { advisoryRss } from './advisory-rss.js';
import { CatalogueAt, type DocumentKind } from './catalogue-at.js';
import { UpstreamControl } from './control.js';
import type { Document } from './document.js';
import { FaultRules } from './faults.js';
import { sendFault } from './send-fault.js';
import { loadRecords, type Records } from './records.js';
import { releaseHistoryXml, unknownProjectXml } from './release-history-xml.js';

export interface UpstreamOptions {
  /** 0 (the default): any free port. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** What time it is at Drupal.org; default the machine's clock. */
  readonly clock?: { now(): Date };
  /** Whether the API's references to projects carry the machine name, as documented. Default true. */
  readonly machineNames?: boolean;
  /** Facts to serve; default the recorded ones. */
  readonly records?: Records;
  /** How many requests are remembered at least, half of them when it gets more. Default twenty thousand. */
  readonly remember?: number;
  /** Also offer the control over HTTP: `POST /_control/<verb>` with a JSON array of arguments. Default off. */
  readonly controlOverHttp?: boolean;
}

/** A request as it arrived and how it was answered. */
export interface UpstreamRequest {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly status: number;
  /** When it was answered, by the stand-in's clock; milliseconds. */
  readonly at: number;
}

export interface Upstream {
  /** `http://127.0.0.1:<port>`, the value for `PATCHWATCH_UPSTREAM`. */
  readonly url: string;
  readonly control: UpstreamControl;
  /** The latest requests (ten thousand at least), oldest first. */
  readonly requests: UpstreamRequest[];
  stop(): Promise<void>;
}

const REMEMBERED_REQUESTS = 20_000;

const HISTORY_PATH = /^\/release-history\/([^/]+)\/(current|7\.x)$/;

/**
 * Starts a stand-in for updates.drupal.org and www.drupal.org on one address:
 * - `GET /release-history/<project>/current` (and `/7.x`): the project's release history;
 * - `GET /security/all/rss.xml`: the newest security advisories;
 * - `GET /api-d7/node.json?type=sa&…`: all of them, by pages, and `?nid[]=…`: projects by number.
 * All answer conditional requests with 304. Everything is as of the clock's instant.
 */
export async function startUpstream(options: UpstreamOptions = {}): Promise<Upstream> {
  const clock = options.clock ?? { now: () => new Date() };
  const catalogue = new CatalogueAt(options.records ?? loadRecords());
  const faults = new FaultRules();
  const cache = new Map<string, { generation: number; since: number; document: Document }>();
  const control = new UpstreamControl(catalogue, faults, clock);
  const requests: UpstreamRequest[] = [];
  const remember = options.remember ?? REMEMBERED_REQUESTS;
  const api: ApiOptions = { machineNames: options.machineNames ?? true };

  const documentOf = (url: URL, now: number): Document | null => {
    const key = url.pathname + url.search;
    const cached = cache.get(key);
    if (cached && cached.generation === control.generation && now >= cached.since && now < cached.document.validUntil) {
      return cached.document;
    }
    const document = render(catalogue, url, now, api);
    if (document && now <= clock.now().getTime()) {
      cache.set(key, { generation: control.generation, since: now, document });
    }
    return document;
  };

  const server = createServer((request, response) => {
    response.on('close', () => {
      const { url = '', headers } = request;
      requests.push({ url, headers, status: response.statusCode, at: clock.now().getTime() });
      if (requests.length > remember) requests.splice(0, remember / 2);
    });
    void answer(request, response).catch((error: unknown) => {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error));
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://upstream');
    if (options.controlOverHttp && request.method === 'POST' && url.pathname.startsWith('/_control/')) {
      return await control.handle(url.pathname.slice('/_control/'.length), request, response);
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
      return;
    }
    const fault = faults.take(url.pathname);
    const now = fault?.kind === 'older' ? fault.asOf.getTime() : clock.now().getTime();
    const document = fault?.kind === 'older' ? render(catalogue, url, now, api) : documentOf(url, now);
    if (fault && fault.kind !== 'older' && (await sendFault(response, fault, document))) return;
    if (!document) {
      response.writeHead(404, { 'content-type': 'text/html; charset=utf-8' }).end('<h1>Page not found</h1>');
      return;
    }
    send(request, response, document);
  }

  await listen(server, options.port ?? 0, options.host ?? '127.0.0.1');
  const { address, port } = server.address() as AddressInfo;
  return {
    url: `http://${address.includes(':') ? `[${address}]` : address}:${port}`,
    control,
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function render(catalogue: CatalogueAt, url: URL, now: number, api: ApiOptions): Document | null {
  const history = HISTORY_PATH.exec(url.pathname);
  if (history) {
    const project = decodeURIComponent(history[1]!);
    const shown = catalogue.projectAt(project, now, history[2] as DocumentKind);
    // A release may appear for an unknown project at any time: such an answer is never kept.
    if (!shown) return document(unknownProjectXml(project), 'text/xml; charset=utf-8', new Date(0), now);
    return document(releaseHistoryXml(shown), 'text/xml; charset=utf-8', new Date(shown.changedAt), shown.validUntil);
  }
  if (url.pathname === '/security/all/rss.xml') {
    const latest = catalogue.advisoriesAt(now)[0];
    const since = latest ? new Date(latest.published) : new Date(0);
    return document(advisoryRss(catalogue, now), 'application/rss+xml; charset=utf-8', since, now);
  }
  if (url.pathname === '/api-d7/node.json') {
    const answer = nodeJson(url.searchParams, catalogue, now, api);
    return answer && document(JSON.stringify(answer), 'application/json', new Date(now), now);
  }
  return null;
}

function document(text: string, type: string, lastModified: Date, validUntil: number): Document {
  const body = Buffer.from(text, 'utf8');
  const etag = `"${createHash('sha1').update(body).digest('hex').slice(0, 20)}"`;
  return { body, type, etag, lastModified, validUntil };
}

function send(request: IncomingMessage, response: ServerResponse, { body, type, etag, lastModified }: Document): void {
  const headers = {
    'content-type': type,
    etag,
    'last-modified': lastModified.toUTCString(),
    'cache-control': 'public, max-age=0',
    vary: 'Accept-Encoding',
  };
  const match = request.headers['if-none-match'];
  const since = request.headers['if-modified-since'];
  const unchanged = match
    ? match.split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === etag)
    : since !== undefined && Date.parse(since) >= Math.floor(lastModified.getTime() / 1000) * 1000;
  if (unchanged) {
    response.writeHead(304, headers).end();
    return;
  }
  const gzip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '') && body.length > 1024;
  const sent = gzip ? gzipSync(body, { level: 1 }) : body;
  response.writeHead(200, {
    ...headers,
    'content-length': sent.length,
    ...(gzip ? { 'content-encoding': 'gzip' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : sent);
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
