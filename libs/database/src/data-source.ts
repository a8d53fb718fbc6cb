import pg from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { TenantClient } from './tenant-client.js';

export interface DatabaseOptions {
  readonly url: string;
  /** The service's own schema; the whole search path. */
  readonly schema: string;
  /** Entity and migration classes. */
  readonly entities: readonly ClassReference[];
  readonly migrations: readonly ClassReference[];
  /** What `pg_stat_activity` shows. */
  readonly applicationName: string;
  readonly poolSize?: number;
  /**
   * Sends statements that are not awaited one by one (`Promise.all`) in one go; the server runs them in the order sent, and the answers
   * come in that order, too. A hot path saves most of its round trips so. Cursors and streams do not work then. Default false.
   */
  readonly pipeline?: boolean;
  /** Milliseconds after which Postgres cancels a statement; 0: never (migrations). Default 30,000. */
  readonly statementTimeoutMs?: number;
  /** Milliseconds to wait for a connection, from the network or from the pool. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** Called for the failure of an idle pooled connection; the pool replaces it by itself. Default: ignored. */
  readonly onPoolError?: (error: Error) => void;
  /** Settings that every connection starts with besides those of a service: for whoever is none. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A class as TypeORM takes it. */
export type ClassReference = abstract new (...args: never[]) => unknown;

const DATE = 1082;
const INT8 = 20;
const INT8_ARRAY = 1016;

/**
 * `int8` as a number. `count(*)` and identity columns are int8, and nothing here outgrows 2^53.
 * @throws RangeError instead of handing on a number that is not the one stored.
 */
export function parseSafeInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 value ${text} does not fit a JavaScript number`);
  return value;
}

/**
 * Parsers of one pool. Not `parseInt8` of TypeORM: that changes the driver for the whole process, and reads 2^53 + 1 as 2^53.
 * `date` stays the text `YYYY-MM-DD`, because the driver would make it midnight in the machine's zone.
 */
export const typeParsers = {
  getTypeParser(oid: number, format?: 'text' | 'binary'): (value: never) => unknown {
    const plain = pg.types.getTypeParser(oid, format) as (value: never) => unknown;
    if (format === 'binary') return plain;
    if (oid === INT8) return parseSafeInt8;
    if (oid === INT8_ARRAY)
      return (value: never) =>
        (plain(value) as (string | null)[]).map((item) => (item === null ? null : parseSafeInt8(item)));
    if (oid === DATE) return (value: never) => value;
    return plain;
  },
};

/** `-c name=value` settings that every connection starts with. */
function sessionSettings(options: DatabaseOptions): string {
  const settings: Record<string, string | number> = {
    search_path: options.schema,
    timezone: 'UTC',
    // Compiling a plan takes a tenth of a second and more; no statement of a service runs long enough to earn that back.
    jit: 'off',
    statement_timeout: options.statementTimeoutMs ?? 30_000,
    // A process that stands still in a transaction (stopped, its machine gone) holds row locks that others wait for: no longer than a
    // consumer's lease. Nothing here computes for seconds between two statements.
    idle_in_transaction_session_timeout: 15_000,
    ...options.settings,
  };
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
}

/**
 * A data source on `schema`, not yet initialised. int8 arrives as a number, `date` as text, time in UTC.
 * The pool's connections send TCP keep-alives, so that a half-open link ends; on each, statements run for whom they are issued (`tenancy.ts`).
 */
export function createDataSource(options: DatabaseOptions): DataSource {
  assertIdentifier(options.schema);
  const connectTimeoutMs = options.connectTimeoutMs ?? 5_000;
  return new DataSource({
    type: 'postgres',
    url: options.url,
    schema: options.schema,
    entities: [...options.entities] as DataSourceOptions['entities'],
    migrations: [...options.migrations] as DataSourceOptions['migrations'],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    synchronize: false,
    logging: false,
    installExtensions: false,
    uuidExtension: 'pgcrypto',
    applicationName: options.applicationName,
    poolSize: options.poolSize ?? 10,
    connectTimeoutMS: connectTimeoutMs,
    poolErrorHandler: options.onPoolError ?? (() => undefined),
    extra: {
      Client: TenantClient,
      options: sessionSettings(options),
      types: typeParsers,
      pipeline: options.pipeline ?? false,
      // A new connection costs a key derivation on both sides (SCRAM), tens of milliseconds on a busy machine, and whoever asks first
      // after a pause would wait for it: some stay open for good, the rest for five minutes (the pool's default: none, ten seconds).
      min: Math.min(4, options.poolSize ?? 10),
      idleTimeoutMillis: 300_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      // The client's own limit, above the server's: it is what ends a statement on a half-open link.
      ...(options.statementTimeoutMs === 0 ? {} : { query_timeout: (options.statementTimeoutMs ?? 30_000) + 5_000 }),
    },
  });
}

/** @throws Error unless `name` is a plain lower-case SQL identifier; it is then safe unquoted everywhere. */
export function assertIdentifier(name: string): void {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name)) throw new Error(`Not a plain SQL identifier: ${JSON.stringify(name)}`);
}
