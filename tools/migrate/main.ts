import { pathToFileURL } from 'node:url';
import { SERVICES, type ServiceName } from '#libs/contracts';
import { prepareDatabase, type ServiceSchema } from '#libs/database';
import { entities as catalogEntities } from '../../apps/catalog/src/database/entities.js';
import { migrations as catalogMigrations } from '../../apps/catalog/src/database/migrations/index.js';
import { entities as gatewayEntities } from '../../apps/gateway/src/database/entities.js';
import { migrations as gatewayMigrations } from '../../apps/gateway/src/database/migrations/index.js';
import { entities as ingestEntities } from '../../apps/ingest/src/database/entities.js';
import { migrations as ingestMigrations } from '../../apps/ingest/src/database/migrations/index.js';
import { entities as notifierEntities } from '../../apps/notifier/src/database/entities.js';
import { migrations as notifierMigrations } from '../../apps/notifier/src/database/migrations/index.js';
import { entities as reportingEntities } from '../../apps/reporting/src/database/entities.js';
import { migrations as reportingMigrations } from '../../apps/reporting/src/database/migrations/index.js';

const SCHEMAS: Record<ServiceName, Pick<ServiceSchema, 'entities' | 'migrations'>> = {
  gateway: { entities: gatewayEntities, migrations: gatewayMigrations },
  ingest: { entities: ingestEntities, migrations: ingestMigrations },
  catalog: { entities: catalogEntities, migrations: catalogMigrations },
  reporting: { entities: reportingEntities, migrations: reportingMigrations },
  notifier: { entities: notifierEntities, migrations: notifierMigrations },
};

/**
 * Brings the database to what this release needs: roles, schemas, privileges, migrations of all five services. Safe to
 * repeat, and to run from several places at once.
 * @param passwordOf the password each service's role gets
 * @param roleOf name of that role; roles belong to the whole server, so tests that share one name their own
 * @returns names of the migrations that ran, by schema
 */
export async function migrate(
  adminUrl: string,
  passwordOf: (service: ServiceName) => string,
  roleOf: (service: ServiceName) => string = (service) => `patchwatch_${service}`,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const services = SERVICES.map((service) => ({
    schema: service,
    role: roleOf(service),
    password: passwordOf(service),
    ...SCHEMAS[service],
  }));
  return (await prepareDatabase({ adminUrl, services })).applied;
}

/** `PATCHWATCH_ADMIN_DATABASE_URL` and, for each service, `PATCHWATCH_<SERVICE>_DATABASE_PASSWORD`. */
async function main(): Promise<void> {
  const env = process.env;
  const missing = ['PATCHWATCH_ADMIN_DATABASE_URL', ...SERVICES.map(passwordVariable)].filter((name) => !env[name]);
  if (missing.length > 0) throw new Error(`these settings are needed: ${missing.join(', ')}`);
  const applied = await migrate(
    env.PATCHWATCH_ADMIN_DATABASE_URL ?? '',
    (service) => env[passwordVariable(service)] ?? '',
  );
  for (const [schema, names] of Object.entries(applied)) {
    console.log(`${schema}: ${names.length === 0 ? 'up to date' : names.join(', ')}`);
  }
}

const passwordVariable = (service: ServiceName) => `PATCHWATCH_${service.toUpperCase()}_DATABASE_PASSWORD`;

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main().catch((error: unknown) => {
    console.error(`migrate: ${(error as Error).message}`);
    process.exitCode = 1;
  });
}
