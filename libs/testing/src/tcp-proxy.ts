import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * A link that can break in the ways links do. `pass`: all goes through. `dropReplies`: requests arrive, their replies
 * vanish. `blackhole`: nothing arrives either way and nobody is told (half-open); new links get no answer either.
 * `refuse`: new links are closed at once. New links behave by the mode of the moment.
 */
export type LinkMode = 'pass' | 'dropReplies' | 'blackhole' | 'refuse';

/** How a link that works is slow. */
export interface LinkSpeed {
  /** Added to every reply, in milliseconds. */
  readonly latencyMs: number;
  /** In each direction; 0: as fast as it goes. */
  readonly bytesPerSecond: number;
}

const FAST: LinkSpeed = { latencyMs: 0, bytesPerSecond: 0 };

/** A TCP proxy on loopback that breaks on command. What a broken mode swallowed is gone: `mode = 'pass'` mends later bytes only. */
export class TcpProxy {
  mode: LinkMode = 'pass';
  /** Links made since the start. */
  links = 0;
  /** Bytes that a broken mode kept from arriving. */
  swallowed = 0;
  private speed = FAST;
  private readonly sockets = new Set<Socket>();
  private readonly forgotten = new WeakSet<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly targetPort: number,
    private readonly scheme: string,
  ) {
    server.on('connection', (client) => this.join(client));
  }

  /** On a free port of loopback, in front of `targetPort`. @param scheme of `url`: `redis`, `postgres`, … */
  static async before(targetPort: number, scheme = 'redis'): Promise<TcpProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, targetPort, scheme);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.scheme}://127.0.0.1:${this.port}`;
  }

  /** `url`, of the server behind, by way of this link. */
  through(url: string): string {
    const changed = new URL(url);
    changed.hostname = '127.0.0.1';
    changed.port = String(this.port);
    return changed.href;
  }

  /** Slows every link, those that stand included; without argument all is fast again. */
  slow(speed: Partial<LinkSpeed> = {}): void {
    this.speed = { ...FAST, ...speed };
  }

  /** Resets every link. */
  reset(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  /** The links that stand become black holes; new ones pass. As when a router between the two has lost its table. */
  forget(): void {
    for (const socket of this.sockets) this.forgotten.add(socket);
  }

  /** All is as at the start; links that lost bytes are reset, because their two ends no longer agree. */
  mend(): void {
    const broken = this.mode !== 'pass';
    this.mode = 'pass';
    this.slow();
    if (broken) this.reset();
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(client: Socket): void {
    if (this.mode === 'refuse') {
      client.resetAndDestroy();
      return;
    }
    this.links++;
    const server = connect(this.targetPort, '127.0.0.1');
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    const known = (): boolean => !this.forgotten.has(client);
    this.carry(client, server, () => known() && this.mode !== 'blackhole', false);
    this.carry(server, client, () => known() && this.mode === 'pass', true);
  }

  /** Passes bytes on in their order, at once where nothing slows the link, and never more than the far end takes. */
  private carry(from: Socket, to: Socket, arrives: () => boolean, isReply: boolean): void {
    let line: Promise<void> = Promise.resolve();
    let waiting = 0;
    from.on('data', (data) => {
      if (!arrives()) {
        this.swallowed += data.length;
        return;
      }
      const { latencyMs, bytesPerSecond } = this.speed;
      if (waiting === 0 && latencyMs === 0 && bytesPerSecond === 0) {
        if (!to.write(data)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
        return;
      }
      waiting++;
      from.pause();
      const due = performance.now() + (isReply ? latencyMs : 0);
      line = line.then(async () => {
        const pause = Math.max(
          due - performance.now(),
          bytesPerSecond === 0 ? 0 : (data.length * 1_000) / bytesPerSecond,
        );
        if (pause > 0) await delay(pause);
        if (arrives() && to.writable) to.write(data);
        waiting--;
        if (waiting === 0) from.resume();
      });
    });
  }
}
