import type { lookup } from 'node:dns';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ManualClock } from '#libs/testing';
import { UpstreamClient } from '../src/upstream/upstream-client.service.js';
import { upstreamSettings } from '../src/upstream/upstream-settings.js';

/** A server on loopback that answers as a test says, however odd, and clients that ask it and end with it. */
export class OddUpstream {
  /** What was asked for, in order. */
  readonly seen: string[] = [];
  answer: (url: string, response: ServerResponse) => void = (_, response) => response.writeHead(404).end();
  private readonly clients: UpstreamClient[] = [];

  private constructor(
    private readonly server: Server,
    private readonly clock: ManualClock,
  ) {}

  static async start(clock: ManualClock): Promise<OddUpstream> {
    const server = createServer((request, response) => {
      upstream.seen.push(request.url ?? '');
      upstream.answer(request.url ?? '', response);
    });
    const upstream = new OddUpstream(server, clock);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return upstream;
  }

  get base(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** A client as the catalog has it. @param resolve how names become addresses; the system's way when not given */
  clientFor(url: string, env: Record<string, string> = {}, resolve?: typeof lookup): UpstreamClient {
    const client = new UpstreamClient(upstreamSettings(url, env), this.clock, resolve);
    this.clients.push(client);
    return client;
  }

  stop(): Promise<void> {
    this.clients.forEach((client) => client.close());
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}
