import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/**
 * A link that can break in the ways links do. `pass`: all goes through. `dropReplies`: requests arrive, their replies
 * vanish. `blackhole`: nothing arrives either way and nobody is told (half-open). New links behave by the same mode.
 */
export type LinkMode = 'pass' | 'dropReplies' | 'blackhole';

export class TcpProxy {
  mode: LinkMode = 'pass';
  links = 0;
  private readonly sockets = new Set<Socket>();
  private constructor(
    private readonly server: Server,
    private readonly targetPort: number,
  ) {
    server.on('connection', (client) => this.join(client));
  }

  /** On a free port of loopback, in front of `targetPort`. */
  static async before(targetPort: number): Promise<TcpProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, targetPort);
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Resets every link. */
  reset(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(client: Socket): void {
    this.links++;
    const server = connect(this.targetPort, '127.0.0.1');
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on('data', (data) => {
      if (this.mode !== 'blackhole') server.write(data);
    });
    server.on('data', (data) => {
      if (this.mode === 'pass') client.write(data);
    });
  }
}
