import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { DataSource } from 'typeorm';
import type { DataSourceOptions } from 'typeorm';

export interface TestDatabaseOptions {
  /** The service's schema; made before the migrations run. */
  readonly schema: string;
  readonly entities?: DataSourceOptions['entities'];
  readonly migrations?: DataSourceOptions['migrations'];
  /** Connections of the pool; default 5. */
  readonly poolSize?: number;
}

export interface TestDatabase {
  /** Connects as the owner, to this suite's own database. */
  readonly url: string;
  /** Initialised; `search_path` is the schema. */
  readonly dataSource: DataSource;
  /** Closes the pool and removes the database, with whoever is still connected. */
  drop(): Promise<void>;
}

/** The server that `npm test` brought up. @throws Error with what to do when there is none. */
export function testDatabaseServer(): string {
  const url = process.env['PATCHWATCH_TEST_DATABASE_URL'];
  if (!url) {
    throw new Error(
      'PATCHWATCH_TEST_DATABASE_URL is not set: run the tests by `npm test`, which brings a Postgres server.',
    );
  }
  return url;
}

/** Creates an empty database of a random name and returns its URL and how to remove it. */
export async function emptyDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const server = testDatabaseServer();
  const name = `test_${randomBytes(8).toString('hex')}`;
  await asAdmin(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: async () => {
      await asAdmin(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

/**
 * A database of this suite's own with the given migrations applied, so that suites run side by side and leave nothing behind.
 * @throws Error when `PATCHWATCH_TEST_DATABASE_URL` is not set or the server is away.
 */
export async function testDatabase(options: TestDatabaseOptions): Promise<TestDatabase> {
  const database = await emptyDatabase();
  const { url } = database;
  const dataSource = new DataSource({
    type: 'postgres',
    url,
    schema: options.schema,
    entities: options.entities ?? [],
    migrations: options.migrations ?? [],
    migrationsTransactionMode: 'each',
    poolSize: options.poolSize ?? 5,
    applicationName: 'patchwatch-test',
    extra: { options: `-c search_path=${options.schema}` },
  });
  try {
    await asAdmin(url, `CREATE SCHEMA IF NOT EXISTS ${options.schema}`);
    await dataSource.initialize();
    await dataSource.runMigrations();
  } catch (error) {
    if (dataSource.isInitialized) await dataSource.destroy();
    await database.drop();
    throw error;
  }
  return {
    url,
    dataSource,
    drop: async () => {
      if (dataSource.isInitialized) await dataSource.destroy();
      await database.drop();
    },
  };
}

/**
 * Removes roles of a suite from the server: they outlive its database, so the database goes first.
 * @throws Error while a role still owns something
 */
export async function dropRoles(roles: readonly string[]): Promise<void> {
  if (roles.length > 0) await asAdmin(testDatabaseServer(), `DROP ROLE IF EXISTS ${roles.join(', ')}`);
}

async function asAdmin(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
