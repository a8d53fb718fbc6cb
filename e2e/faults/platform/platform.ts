import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster, Redis } from 'ioredis';
import pg from 'pg';
import { SERVICES, type ServiceName } from '#libs/contracts';
import { urlForRole } from '#libs/database';
import { emptyDatabase, eventually, freePort, TcpProxy, type TestRedis } from '#libs/testing';
import { ApiClient } from '../../../tools/cli/api-client.js';
import { migrate } from '../../../tools/migrate/main.js';
import type { Upstream } from '../../../tools/upstream/server.js';
import { ServiceProcess } from '../../harness/processes.js';
import { within } from '../../harness/within.js';
import { directly, dropRoles } from './connections.js';
import { logEvents } from './event-log.js';
import { Instance } from './instance.js';
import type { PostgresServer } from './postgres-server.js';
import { startServers, type ServerOptions } from './servers.js';
import type { Topology } from './topologies.js';

export interface PlatformOptions extends ServerOptions {
  /** How many processes; default one a service, two of ingest. */
  readonly processes?: Partial<Record<ServiceName, number>>;
  /** Settings of all services. */
  readonly env?: Record<string, string>;
}

/** Longest answer of the database to a question of the harness, and longest end of a server, in milliseconds. */
const QUERY_MS = 90_000;
const SERVER_END_MS = 20_000;

/** Over how many streams the partitioned queues are spread. */
const PARTITIONS = 2;

/**
 * The whole platform: real processes of the services as built, a Postgres and two Redis servers of its own, a breakable link between
 * every process and every server, and a stand-in for Drupal.org.
 */
export class Platform {
  readonly partitions = PARTITIONS;
  private readonly instances: Instance[] = [];
  private readonly closers: (() => Promise<unknown>)[] = [];
  private pool!: pg.Pool;
  private over = false;
  /** Signed in as the first superuser. */
  client!: ApiClient;
  /** Settings by which the commands of operators find this platform. */
  readonly operator: Record<string, string> = {};

  private constructor(
    readonly redis: TestRedis,
    readonly cache: TestRedis,
    /** Straight to the streams, past all links. */
    readonly streams: Redis | Cluster,
    /** null: shared with others, not to be killed. */
    readonly postgres: PostgresServer | null,
    /** null: the streams are on `redis`. */
    readonly topology: Topology | null,
  ) {}

  static async start(options: PlatformOptions): Promise<Platform> {
    mkdirSync(options.folder, { recursive: true });
    const { postgres, redis, cache, upstream, topology } = await startServers(options);
    if (postgres !== null) process.env['PATCHWATCH_TEST_DATABASE_URL'] = postgres.url;
    const streams = topology?.client ?? directly(redis.url);
    const platform = new Platform(redis, cache, streams, postgres, topology);
    platform.closers.push(
      async () => streams.disconnect(),
      async () => topology?.stop(),
      () => upstream.stop(),
      () => redis.stop(),
      () => cache.stop(),
      async () => postgres?.stop(),
    );
    try {
      const database = await emptyDatabase();
      // Before the server itself ends.
      platform.closers.splice(-1, 0, () => database.drop());
      const port = await freePort();
      platform.client = new ApiClient(`http://127.0.0.1:${port}`);
      await platform.comeUp(options, { databaseUrl: database.url, upstream, port });
      return platform;
    } catch (error) {
      await platform.stop();
      throw error;
    }
  }

  /** The processes of a service. */
  fleet(service: ServiceName): Instance[] {
    return this.instances.filter((instance) => instance.service === service);
  }

  get all(): readonly Instance[] {
    return this.instances;
  }

  /** Base URLs of the gateways. */
  get gateways(): string[] {
    return this.fleet('gateway').map(({ process }) => process.readyUrl.replace('/readyz', ''));
  }

  /** Reads and changes tables as their owner. */
  async query<T extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<T[]> {
    return (await this.pool.query<T>(sql, values)).rows;
  }

  /** A connection of one's own, for transactions; end it. */
  async session(): Promise<pg.Client> {
    const client = new pg.Client(this.pool.options);
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /**
   * Everything as at the start: servers up, links whole, nobody under fail points, everybody running and ready.
   * @throws Error when it cannot be had any more, or the platform has ended
   */
  async restore(): Promise<void> {
    if (this.over) throw new Error('this platform has ended');
    if (this.topology === null) {
      await this.streams.ping().catch(() => this.redis.restart());
      await eventually(() => this.streams.ping(), { what: 'Redis to answer' });
      await (this.streams as Redis).config('SET', 'maxmemory', '0');
    }
    await this.query('SELECT 1').catch(() => this.postgres?.start());
    for (const instance of this.instances) {
      for (const link of Object.values(instance.links)) (link as TcpProxy | null)?.mend();
      instance.process.signal('SIGCONT');
      instance.stopWatching();
    }
    await Promise.all(
      this.instances.map(async (instance) => {
        const changed = Object.keys(instance.settings).length > 0;
        instance.settings = {};
        if (changed && instance.process.running) await instance.restart();
        else if (!instance.process.running) await instance.start();
        instance.supervised = true;
        await instance.ready();
      }),
    );
  }

  /** Ends everything that was started, whatever state it is in: what does not end is left to the end of this process. */
  async stop(): Promise<void> {
    this.over = true;
    await Promise.all(this.instances.map((instance) => instance.stop()));
    for (const close of [async () => this.pool?.end(), ...this.closers])
      await within(SERVER_END_MS, 'a server to end', close()).catch(() => undefined);
  }

  private async comeUp(
    options: PlatformOptions,
    { databaseUrl, upstream, port }: { databaseUrl: string; upstream: Upstream; port: number },
  ): Promise<void> {
    const run = randomBytes(4).toString('hex');
    const password = randomBytes(16).toString('hex');
    const roleOf = (service: ServiceName) => `patchwatch_${service}_${run}`;
    await migrate(databaseUrl, () => password, roleOf);
    this.pool = new pg.Pool({
      connectionString: databaseUrl,
      max: 4,
      connectionTimeoutMillis: 10_000,
      statement_timeout: QUERY_MS,
      query_timeout: QUERY_MS,
    });
    this.pool.on('error', () => undefined);
    this.closers.push(() => dropRoles(databaseUrl, SERVICES.map(roleOf), this.postgres !== null));
    const admin = await this.pool.connect();
    await logEvents(admin, ['gateway', 'ingest', 'catalog', 'reporting']).finally(() => admin.release());

    const email = 'root@patchwatch.example';
    const env = {
      PATCHWATCH_UPSTREAM: upstream.url,
      PATCHWATCH_PARTITIONS: String(PARTITIONS),
      PATCHWATCH_JWT_SECRET: randomBytes(32).toString('hex'),
      PATCHWATCH_PEPPER: randomBytes(32).toString('hex'),
      PATCHWATCH_BOOTSTRAP_EMAIL: email,
      PATCHWATCH_BOOTSTRAP_PASSWORD: password,
      PATCHWATCH_PASSWORD_COST: '4',
      PATCHWATCH_PUSH_RATE: '1000000/1',
      PATCHWATCH_LOG_LEVEL: 'info',
      ...options.env,
    };
    this.operator['PATCHWATCH_PARTITIONS'] = String(PARTITIONS);
    this.operator['PATCHWATCH_STREAMS_URL'] = this.topology?.url ?? this.redis.url;
    for (const service of SERVICES) {
      this.operator[`PATCHWATCH_${service.toUpperCase()}_DATABASE_URL`] = urlForRole(
        databaseUrl,
        roleOf(service),
        password,
      );
      const count = options.processes?.[service] ?? (service === 'ingest' ? 2 : 1);
      for (let n = 0; n < count; n++) {
        const own = service === 'gateway' && n === 0 ? port : await freePort();
        const url = urlForRole(databaseUrl, roleOf(service), password);
        this.instances.push(await this.prepare({ service, n, port: own, url, env, options }));
      }
    }
    // The first gateway makes the first user; two at once would both try.
    const [first, ...replicas] = this.fleet('gateway');
    const others = this.instances.filter(({ service }) => service !== 'gateway').map((one) => one.start());
    await Promise.all([...others, first!.start().then(() => Promise.all(replicas.map((one) => one.start())))]);
    for (const instance of this.instances) instance.supervised = true;
    await this.client.login(email, password);
  }

  private async prepare(one: {
    service: ServiceName;
    n: number;
    port: number;
    url: string;
    env: Record<string, string>;
    options: PlatformOptions;
  }): Promise<Instance> {
    const { service, options } = one;
    const links = {
      database: await TcpProxy.before(Number(new URL(one.url).port), 'postgres'),
      cache: await TcpProxy.before(this.cache.port),
      streams: this.topology === null ? await TcpProxy.before(this.redis.port) : null,
    };
    for (const link of Object.values(links)) this.closers.unshift(async () => link?.close());
    const healthPort = await freePort();
    const logFile = join(options.folder, `${service}-${one.n}.log`);
    const health = `http://127.0.0.1:${healthPort}`;
    const process = new ServiceProcess(
      service,
      {
        ...one.env,
        PATCHWATCH_DATABASE_URL: links.database.through(one.url),
        PATCHWATCH_STREAMS_URL: this.topology?.url ?? links.streams!.url,
        PATCHWATCH_CACHE_URL: links.cache.url,
        PATCHWATCH_PORT: String(one.port),
        PATCHWATCH_HEALTH_PORT: String(healthPort),
      },
      service === 'gateway' ? `http://127.0.0.1:${one.port}/readyz` : `${health}/readyz`,
      (text) => appendFileSync(logFile, text),
    );
    return new Instance(service, process, links, health);
  }
}
