import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { eventually } from './eventually.js';
import { TcpProxy } from './tcp-proxy.js';

describe('TcpProxy', () => {
  let echo: Server;
  let received: string;
  let proxy: TcpProxy;
  let client: Socket;
  let answers: string;

  const open = async (): Promise<Socket> => {
    const socket = connect(proxy.port, '127.0.0.1');
    answers = '';
    socket.on('data', (data) => (answers += data.toString()));
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };
  /** Not by `once`, which a reset would make reject. */
  const closed = (socket: Socket) => eventually(() => socket.destroyed, { what: 'the link to be closed' });
  const answered = (text: string) =>
    eventually(() => answers === text, { what: `the answer "${text}", not "${answers}"` });

  beforeEach(async () => {
    received = '';
    echo = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        received += data.toString();
        socket.write(data);
      });
    });
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    proxy = await TcpProxy.before((echo.address() as AddressInfo).port);
    client = await open();
  });
  afterEach(async () => {
    client.destroy();
    await proxy.close();
    echo.close();
  });

  it('passes both ways', async () => {
    client.write('hello');
    await answered('hello');
    expect(proxy.links).toBe(1);
  });

  it('drops replies while requests arrive, and passes again when mended, on new links', async () => {
    proxy.mode = 'dropReplies';
    client.write('lost');
    await eventually(() => received === 'lost', { what: 'the request to arrive' });
    proxy.mend();
    await closed(client);
    expect(answers).toBe('');
    client = await open();
    client.write('again');
    await answered('again');
  });

  it('swallows everything as a black hole and tells nobody', async () => {
    proxy.mode = 'blackhole';
    client.write('nothing');
    await eventually(() => proxy.swallowed === 'nothing'.length, { what: 'the bytes to be swallowed' });
    proxy.mode = 'pass';
    client.write('something');
    await answered('something');
    expect(received).toBe('something');
  });

  it('forgets the links that stand, and carries new ones', async () => {
    proxy.forget();
    client.write('old');
    await eventually(() => proxy.swallowed === 'old'.length, { what: 'the bytes to be swallowed' });
    client = await open();
    client.write('new');
    await answered('new');
    expect(received).toBe('new');
  });

  it('refuses new links and resets those that stand', async () => {
    proxy.mode = 'refuse';
    proxy.reset();
    await closed(client);
    client = connect(proxy.port, '127.0.0.1');
    client.on('error', () => undefined);
    await closed(client);
  });

  it('delays replies without changing their order, and is fast again afterwards', async () => {
    proxy.slow({ latencyMs: 150 });
    const begun = performance.now();
    client.write('a');
    await answered('a');
    client.write('b');
    await answered('ab');
    expect(performance.now() - begun).toBeGreaterThan(290);
    proxy.slow();
    client.write('c');
    await answered('abc');
  });

  it('throttles', async () => {
    proxy.slow({ bytesPerSecond: 10_000 });
    const begun = performance.now();
    client.write('x'.repeat(1_000));
    await answered('x'.repeat(1_000));
    expect(performance.now() - begun).toBeGreaterThan(190);
  });
});
