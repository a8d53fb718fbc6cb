import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import { asSystem, createDataSource, prepareDatabase, urlForRole } from '#libs/database';
import { dropRoles, emptyDatabase } from '#libs/testing';
import { migrations } from '../database/migrations/index.js';
import { ReceiptRepository } from './receipt.repository.js';

const service = {
  schema: 'ingest',
  role: `spec_ingest_${randomBytes(4).toString('hex')}`,
  password: 'a-password-of-the-spec',
  entities: [],
  migrations,
};
let database: Awaited<ReturnType<typeof emptyDatabase>>;
let dataSource: DataSource;

beforeAll(async () => {
  database = await emptyDatabase();
  await prepareDatabase({ adminUrl: database.url, services: [service] });
  // As the service's own role: row-level security holds it, and has its say in how rows are found.
  dataSource = await createDataSource({
    url: urlForRole(database.url, service.role, service.password),
    schema: service.schema,
    entities: [],
    migrations: [],
    applicationName: 'ingest-spec',
    poolSize: 1,
  }).initialize();
});
afterAll(async () => {
  await dataSource?.destroy();
  await database.drop();
  await dropRoles([service.role]);
});

it('finds by indexes which pushes have ended, the dead ones too: however many letters there are, a batch does not read them', async () => {
  const plan: string[] = [];
  await asSystem(() =>
    dataSource.transaction(async (tx) => {
      await tx.query('SET LOCAL enable_seqscan = off');
      const explained = {
        query: async (sql: string, parameters: unknown[]) => {
          const rows: Record<string, string>[] = await tx.query(`EXPLAIN ${sql}`, parameters);
          plan.push(...rows.map((row) => row['QUERY PLAN']!));
          return [];
        },
      } as unknown as EntityManager;
      await new ReceiptRepository().endedBefore(explained, [{ siteId: 1, pushId: randomUUID() }]);
      await new ReceiptRepository().find(explained, 1, randomUUID());
    }),
  );
  const text = plan.join('\n');
  expect(text.match(/using dead_letters_push/g)).toHaveLength(2);
  expect(text).not.toContain('Seq Scan');
});
