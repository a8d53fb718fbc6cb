import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DataSource } from 'typeorm';
import type { ServiceName } from '#libs/contracts';
import { asSystem, classifySqlError, createDataSource, sqlState } from '#libs/database';
import { connectRedis, type RedisConnection } from '#libs/streams';
import { CommandError } from './command-error.js';

/** Where the parts of a platform are. */
export interface PlatformAddresses {
  /** null: not known. */
  databaseUrl(service: ServiceName): string | null;
  readonly streamsUrl: string | null;
  /** Of partitioned queues, as the services have it. */
  readonly partitions: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * As the services find them: `PATCHWATCH_<SERVICE>_DATABASE_URL`, else `PATCHWATCH_DATABASE_URL`; `PATCHWATCH_STREAMS_URL`;
 * `PATCHWATCH_PARTITIONS`. What the environment does not say, the data folder of a platform started here does.
 */
export function platformAddresses(dataFolder: string, env: Environment = process.env): PlatformAddresses {
  let local: { databases?: Partial<Record<ServiceName, string>>; streams?: string; partitions?: number } = {};
  try {
    local = JSON.parse(readFileSync(join(resolve(dataFolder), 'access.json'), 'utf8')) as typeof local;
  } catch {
    // Not started here: the environment must say everything.
  }
  return {
    databaseUrl: (service) =>
      env[`PATCHWATCH_${service.toUpperCase()}_DATABASE_URL`] ||
      env['PATCHWATCH_DATABASE_URL'] ||
      (local.databases?.[service] ?? null),
    streamsUrl: env['PATCHWATCH_STREAMS_URL'] || (local.streams ?? null),
    partitions: Number(env['PATCHWATCH_PARTITIONS'] || (local.partitions ?? 1)),
  };
}

/** The database and the Redis of a platform, for commands of operators. Connections are opened when needed; `close` ends them all. */
export class Platform {
  private readonly sources = new Map<ServiceName, Promise<DataSource>>();
  private redis: RedisConnection | undefined;

  constructor(readonly addresses: PlatformAddresses) {}

  /** @throws CommandError `no_database`, `database_unreachable` */
  private database(service: ServiceName): Promise<DataSource> {
    let source = this.sources.get(service);
    if (source === undefined) this.sources.set(service, (source = this.openDatabase(service)));
    return source;
  }

  /** Runs `work` on the schema of `service`. @throws as `database`, also when it goes away meanwhile; CommandError `database_forbidden`, `database_not_migrated` */
  async use<T>(service: ServiceName, work: (source: DataSource) => Promise<T>): Promise<T> {
    const source = await this.database(service);
    try {
      // An operator's command is about the platform.
      return await asSystem(() => work(source));
    } catch (error) {
      throw databaseProblem(service, error) ?? error;
    }
  }

  /** @throws CommandError `no_streams`, `streams_unreachable` */
  async streams(): Promise<RedisConnection> {
    if (this.redis) return this.redis;
    const url = this.addresses.streamsUrl;
    if (!url) {
      throw new CommandError(
        'no_streams',
        'where the Redis for streams is, nobody says: set PATCHWATCH_STREAMS_URL, or name the data folder of a platform started here with --data',
      );
    }
    const redis = connectRedis(url, { name: 'patchwatch:operator', role: 'streams' });
    try {
      await redis.ready(5_000);
    } catch {
      await redis.close();
      throw new CommandError(
        'streams_unreachable',
        `the Redis for streams at ${withoutPassword(url)} does not answer: is it running, and may this machine reach it?`,
      );
    }
    return (this.redis = redis);
  }

  async close(): Promise<void> {
    await this.redis?.close();
    for (const source of this.sources.values()) {
      const opened = await source.catch(() => null);
      if (opened?.isInitialized) await opened.destroy();
    }
  }

  private async openDatabase(service: ServiceName): Promise<DataSource> {
    const url = this.addresses.databaseUrl(service);
    if (!url) {
      throw new CommandError(
        'no_database',
        `where the database of ${service} is, nobody says: set PATCHWATCH_${service.toUpperCase()}_DATABASE_URL (or PATCHWATCH_DATABASE_URL for all), or name the data folder of a platform started here with --data`,
      );
    }
    const source = createDataSource({
      url,
      schema: service,
      entities: [],
      migrations: [],
      applicationName: 'patchwatch-operator',
      poolSize: 2,
    });
    try {
      return await source.initialize();
    } catch (error) {
      throw databaseProblem(service, error, url) ?? error;
    }
  }
}

/** A failure of the database in words that say what to do; null: it is no failure of reaching it. */
function databaseProblem(service: ServiceName, error: unknown, url?: string): CommandError | null {
  const variable = `PATCHWATCH_${service.toUpperCase()}_DATABASE_URL`;
  const state = sqlState(error);
  if (state === '42501')
    return new CommandError(
      'database_forbidden',
      `the database's role may not use the schema ${service}: set ${variable} to the URL of its own role, or leave the service out with --service`,
    );
  if (state === '42P01')
    return new CommandError(
      'database_not_migrated',
      `the schema ${service} lacks a table of this release: run its migrations (npm start does; docs/operations.md)`,
    );
  if (classifySqlError(error) !== 'infrastructure') return null;
  return new CommandError(
    'database_unreachable',
    `the database of ${service}${url ? ` at ${withoutPassword(url)}` : ''} cannot be used (${(error as Error).message}): is it running, and are ${variable} or --data right?`,
  );
}

function withoutPassword(url: string): string {
  return url.replace(/(:\/\/[^:/@]*):[^@]*@/, '$1@');
}
