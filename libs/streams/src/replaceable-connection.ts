import type { Socket } from 'node:net';
import type { Redis, RedisOptions } from 'ioredis';
import { RedisUnavailableError } from './failures.js';
import { silentLog } from './observer.js';
import type { StreamsLog } from './observer.js';
import { isLinkError } from './redis-connection.js';
import type { ConnectRedisOptions, RedisConnection, RedisRole } from './redis-connection.js';
import type { SentinelWatch } from './sentinel-watch.js';

/** For the TCP connect, and again for the handshake after it. */
const CONNECT_TIMEOUT_MS = 2_000;
const TIMEOUT_MS: Record<RedisRole, number> = { streams: 2_000, cache: 500, blocking: 2_000 };

/**
 * A link to one Redis that never hangs; the server may be another one each time it is opened (sentinels).
 *
 * ioredis 6 left alone (measured): it sends again what was in flight when a link dropped, so one XADD may run twice; told
 * not to, it may leave the promise open for ever; and a half-open link (peer gone, no FIN) hangs every command. So here:
 * nothing is ever resent; every command has a timeout; a command that expires condemns the client, which is cut
 * off and replaced by a new object. That is why `client` must be read anew for every command.
 *
 * An error branch each: link down → commands fail at once with "Stream isn't writeable" (nothing was sent), ioredis
 * reconnects with growing delays up to half a second; half-open → the first expired command replaces the client;
 * Redis loading its file → not ready until it has; a master that was demoted → READONLY, replaced.
 */
export class ReplaceableConnection implements RedisConnection {
  readonly name: string;
  readonly role: RedisRole;
  private readonly timeoutMs: number;
  private readonly log: StreamsLog;
  private current: Redis;
  private readonly unwatch: (() => void) | undefined;
  private closed = false;

  constructor(
    readonly url: string,
    private readonly options: ConnectRedisOptions,
    private readonly open: (settings: RedisOptions) => Redis,
    private readonly leader?: SentinelWatch,
  ) {
    this.name = options.name;
    this.role = options.role;
    this.timeoutMs = options.commandTimeoutMs ?? TIMEOUT_MS[options.role];
    this.log = options.log ?? silentLog;
    this.current = this.create();
    this.unwatch = leader?.watch(() => this.leaveOldLeader(this.current));
  }

  get client(): Redis {
    return this.current;
  }

  get isReady(): boolean {
    return this.current.status === 'ready';
  }

  async ready(timeoutMs = 10_000): Promise<void> {
    const end = performance.now() + timeoutMs;
    while (!this.isReady) {
      const left = end - performance.now();
      if (this.closed) throw new RedisUnavailableError(`The connection ${this.name} is closed.`);
      if (left <= 0) throw new RedisUnavailableError(`Redis did not get ready for ${this.name} in ${timeoutMs} ms.`);
      await changeOf(this.current, Math.min(left, 250));
    }
  }

  async run<T>(command: (client: Redis) => Promise<T>, timeoutMs = this.timeoutMs): Promise<T> {
    const client = this.current;
    if (timeoutMs <= 0) return command(client);
    let timer: NodeJS.Timeout | undefined;
    let answered = false;
    const expired = new Promise<never>((_, reject) => {
      // Judged at the end of the turn: when the whole process stood still, the reply is only about to be read.
      const judge = (): void => {
        if (answered) return;
        this.replaceIf(client, `no reply in ${timeoutMs} ms`);
        reject(new RedisUnavailableError(`Redis gave ${this.name} no reply in ${timeoutMs} ms.`));
      };
      timer = setTimeout(() => setImmediate(judge), timeoutMs);
    });
    try {
      return await Promise.race([command(client), expired]);
    } catch (error) {
      if (!isLinkError(error) || error instanceof RedisUnavailableError) throw error;
      this.noteFailure(client, error);
      throw new RedisUnavailableError(`Redis is away for ${this.name}: ${(error as Error).message}`, { cause: error });
    } finally {
      answered = true;
      clearTimeout(timer);
    }
  }

  runOn<T>(_key: string, command: (client: Redis) => Promise<T>, timeoutMs?: number): Promise<T> {
    return this.run(command, timeoutMs);
  }

  nodeOf(): RedisConnection {
    return this;
  }

  nodes(): readonly RedisConnection[] {
    return [this];
  }

  noteFailure(client: Redis, error: unknown): void {
    const message = error instanceof Error ? error.message : '';
    // A master that was demoted says READONLY for ever on the old link.
    if (/^READONLY|Command timed out/.test(message)) this.replaceIf(client, message);
  }

  replace(reason: string): void {
    this.replaceIf(this.current, reason);
  }

  sibling(options: Partial<ConnectRedisOptions>): RedisConnection {
    return new ReplaceableConnection(this.url, { ...this.options, ...options }, this.open, this.leader);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.unwatch?.();
    discard(this.current);
  }

  /** Only the client that failed is given up: several commands of one client may expire at the same time. */
  private replaceIf(client: Redis, reason: string): void {
    if (this.closed || client !== this.current) return;
    this.log.warn({ connection: this.name, reason }, 'Redis client replaced');
    if (this.role === 'cache') {
      // Libraries may hold the object: it stays and gets a new socket.
      client.disconnect(true);
      cutSocket(client);
    } else {
      this.current = this.create();
      discard(client);
    }
    this.options.onReplaced?.(reason);
  }

  /**
   * For commands that somebody sends past `run`: ioredis rejects them, and cuts a link that owes replies and stays
   * silent. On the streams later than `run` would, because ioredis also counts the time in which this process stood still.
   */
  private backstop(): RedisOptions {
    if (this.role === 'blocking' || this.timeoutMs === 0) return {};
    const patience = this.role === 'cache' ? this.timeoutMs : this.timeoutMs * 5;
    return { commandTimeout: patience, socketTimeout: patience * 2 };
  }

  /** Another server leads by now: what is connected to, or being connected to, is of no use. */
  private leaveOldLeader(client: Redis): void {
    const { remoteAddress, remotePort } = (client as unknown as { stream?: Partial<Socket> }).stream ?? {};
    const isLeader = remoteAddress !== undefined && this.leader?.leads(`${remoteAddress}:${remotePort}`) !== false;
    if (this.leader !== undefined && !isLeader) this.replaceIf(client, 'another server leads');
  }

  private create(): Redis {
    const settings: RedisOptions = {
      connectionName: this.name,
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
      disconnectTimeout: 100,
      keepAlive: 5_000,
      retryStrategy: (times) => Math.min(20 * 2 ** Math.min(times, 5), 500) * (0.75 + Math.random() / 2),
      ...this.backstop(),
    };
    const client = this.open(settings);
    let announced = false;
    client.on('error', (error: Error) => {
      if (announced) return;
      announced = true;
      this.log.warn({ connection: this.name, error: error.message }, 'Redis is away; connecting again');
    });
    client.on('ready', () => {
      announced = false;
      this.leaveOldLeader(client);
    });
    boundHandshake(client);
    return client;
  }
}

/** ioredis bounds the TCP connect only: a peer that accepts and then says nothing would hold the handshake for ever. */
function boundHandshake(client: Redis): void {
  let timer: NodeJS.Timeout | undefined;
  client.on('connect', () => {
    clearTimeout(timer);
    timer = setTimeout(() => cutSocket(client), CONNECT_TIMEOUT_MS);
  });
  for (const event of ['ready', 'close', 'end']) client.on(event, () => clearTimeout(timer));
}

/** Cuts a client off at once; a polite end() would wait two seconds on a half-open link. */
function discard(client: Redis): void {
  client.disconnect();
  cutSocket(client);
}

function cutSocket(client: Redis): void {
  (client as unknown as { stream?: { destroy(): void } }).stream?.destroy();
}

function changeOf(client: Redis, withinMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      client.off('ready', done);
      client.off('end', done);
      resolve();
    };
    const timer = setTimeout(done, withinMs);
    client.once('ready', done);
    client.once('end', done);
  });
}
