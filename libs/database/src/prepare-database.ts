import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { assertIdentifier, createDataSource, type ClassReference } from './data-source.js';
import { scramVerifier } from './scram.js';
import { separateTenants } from './separate-tenants.js';
import { sqlState } from './sql-errors.js';
import { TENANCY_SETTINGS } from './tenancy.js';

export interface ServiceSchema {
  /** Schema of the service, named like it. */
  readonly schema: string;
  /** Log-in role of the service; by custom `patchwatch_<service>`. Roles belong to the whole server, not to one database. */
  readonly role: string;
  readonly password: string;
  readonly entities: readonly ClassReference[];
  readonly migrations: readonly ClassReference[];
}

export interface PreparedDatabase {
  /** Names of the migrations that ran now, by schema. */
  readonly applied: Readonly<Record<string, readonly string[]>>;
}

/** Any fixed number: whoever prepares this database holds it. */
const PREPARE_LOCK = 4_711_202_501;

/**
 * Brings a database to what this release needs: roles, schemas, privileges, migrations. Idempotent; two at once wait for each other.
 *
 * Everything belongs to the admin role. A service's role owns nothing, may read and write the rows of its own schema, and reaches nothing else;
 * PUBLIC reaches nothing. Default privileges cover what later migrations create, so that migrations need no grants. Tables with rows of tenants
 * are put under row-level security after the migrations have run, so that none has to remember it.
 * @throws the database's error; migrations that ran before it stay (each is a transaction of its own).
 */
export async function prepareDatabase(input: {
  readonly adminUrl: string;
  readonly services: readonly ServiceSchema[];
}): Promise<PreparedDatabase> {
  for (const { schema, role } of input.services) [schema, role].forEach(assertIdentifier);
  const admin = new pg.Client({ connectionString: input.adminUrl, application_name: 'patchwatch-prepare' });
  await admin.connect();
  try {
    await admin.query('SELECT pg_advisory_lock($1)', [PREPARE_LOCK]);
    await closeDatabase(admin);
    const applied: Record<string, string[]> = {};
    for (const service of input.services) {
      await ensureRole(admin, service);
      await ensureSchema(admin, service);
      applied[service.schema] = await migrate(input.adminUrl, service);
      await protectMigrationsTable(admin, service);
      await protectAppendOnlyTables(admin, service);
      await separateTenants(admin, service.schema, service.role);
    }
    return { applied };
  } finally {
    // Ends the session and so gives the lock back.
    await admin.end();
  }
}

/** The URL by which `role` reaches the same database. */
export function urlForRole(adminUrl: string, role: string, password: string): string {
  const url = new URL(adminUrl);
  url.username = encodeURIComponent(role);
  url.password = encodeURIComponent(password);
  return url.toString();
}

async function closeDatabase(admin: pg.Client): Promise<void> {
  const { rows } = await admin.query<{ name: string }>('SELECT current_database() AS name');
  await admin.query(`REVOKE ALL ON DATABASE ${admin.escapeIdentifier(rows[0]!.name)} FROM PUBLIC`);
  await admin.query(`DO $$ BEGIN
    IF to_regnamespace('public') IS NOT NULL THEN REVOKE ALL ON SCHEMA public FROM PUBLIC; END IF;
  END $$`);
}

/**
 * Creates the role if need be and sets its password. The roles are the server's, and another database of it may be prepared at this moment
 * (its advisory lock is another one), so both statements may meet a rival.
 */
async function ensureRole(admin: pg.Client, service: ServiceSchema): Promise<void> {
  const verifier = admin.escapeLiteral(await scramVerifier(service.password));
  await admin.query(`DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${service.role}') THEN CREATE ROLE ${service.role} LOGIN; END IF;
  EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
  END $$`);
  for (let attempt = 1; ; attempt++) {
    try {
      await admin.query(`ALTER ROLE ${service.role} LOGIN PASSWORD ${verifier}`);
      break;
    } catch (error) {
      // XX000 "tuple concurrently updated" is how Postgres reports the rival.
      if (attempt >= 20 || sqlState(error) !== 'XX000') throw error;
      await delay(10 * Math.random() * attempt);
    }
  }
  const { rows } = await admin.query<{ name: string }>('SELECT current_database() AS name');
  await admin.query(`GRANT CONNECT ON DATABASE ${admin.escapeIdentifier(rows[0]!.name)} TO ${service.role}`);
}

async function ensureSchema(admin: pg.Client, { schema, role }: ServiceSchema): Promise<void> {
  const rows = 'SELECT, INSERT, UPDATE, DELETE ON';
  const sequences = 'USAGE, SELECT ON';
  await admin.query(`
    CREATE SCHEMA IF NOT EXISTS ${schema};
    REVOKE ALL ON SCHEMA ${schema} FROM PUBLIC;
    GRANT USAGE ON SCHEMA ${schema} TO ${role};
    ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT ${rows} TABLES TO ${role};
    ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT ${sequences} SEQUENCES TO ${role};
    GRANT ${rows} ALL TABLES IN SCHEMA ${schema} TO ${role};
    GRANT ${sequences} ALL SEQUENCES IN SCHEMA ${schema} TO ${role};
  `);
}

async function migrate(url: string, { schema, entities, migrations }: ServiceSchema): Promise<string[]> {
  const dataSource = createDataSource({
    url,
    schema,
    entities,
    migrations,
    applicationName: 'patchwatch-migrate',
    poolSize: 2,
    statementTimeoutMs: 0,
    // An owner that is no superuser is held by row-level security, too, and migrations change the rows of all.
    settings: { [TENANCY_SETTINGS[0]]: 'system' },
  });
  await dataSource.initialize();
  try {
    const ran = await dataSource.runMigrations({ transaction: 'each' });
    return ran.map((migration) => migration.name);
  } finally {
    await dataSource.destroy();
  }
}

/** What has run is the owner's book: a service reads it, but cannot change it. */
async function protectMigrationsTable(admin: pg.Client, { schema, role }: ServiceSchema): Promise<void> {
  const { rows } = await admin.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    `${schema}.migrations`,
  ]);
  if (rows[0]!.there) await admin.query(`REVOKE INSERT, UPDATE, DELETE ON ${schema}.migrations FROM ${role}`);
}

/** A table whose comment says that it is append-only takes inserts from the service, and nothing else. */
async function protectAppendOnlyTables(admin: pg.Client, { schema, role }: ServiceSchema): Promise<void> {
  const { rows } = await admin.query<{ name: string }>(
    `SELECT relname::text AS name FROM pg_class
      WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p') AND obj_description(oid, 'pg_class') = 'append-only'`,
    [schema],
  );
  for (const { name } of rows)
    await admin.query(`REVOKE UPDATE, DELETE, TRUNCATE ON ${schema}.${admin.escapeIdentifier(name)} FROM ${role}`);
}
