import { Redis } from 'ioredis';
import pg from 'pg';

/** Fails at once while the server is away, and is back as soon as it is. */
export function directly(url: string): Redis {
  const client = new Redis(url, {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    commandTimeout: 10_000,
    retryStrategy: () => 100,
  });
  client.on('error', () => undefined);
  return client;
}

/** Roles outlive their database: they are the server's, and go with it when it is our own. */
export async function dropRoles(databaseUrl: string, roles: readonly string[], ownServer: boolean): Promise<void> {
  if (ownServer) return;
  const server = new URL(databaseUrl);
  server.pathname = '/postgres';
  const admin = new pg.Client({ connectionString: server.href });
  await admin.connect();
  try {
    for (const role of roles) await admin.query(`DROP OWNED BY ${role}`).catch(() => undefined);
    for (const role of roles) await admin.query(`DROP ROLE IF EXISTS ${role}`).catch(() => undefined);
  } finally {
    await admin.end();
  }
}
