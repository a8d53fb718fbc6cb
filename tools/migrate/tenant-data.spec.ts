import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { SERVICES, type ServiceName } from '#libs/contracts';
import { asSystem, asTenant, createDataSource, urlForRole } from '#libs/database';
import { eraseRows, exportRows } from '#libs/outbox';
import { dropRoles, emptyDatabase } from '#libs/testing';
import { migrate } from './main.js';

const NONE = '01a1fe21-2670-734d-b4ea-a23bfe8d5004';
const PERSON = { user_id: 7, user_uuid: NONE, email: 'nobody@nowhere.example' };

/** What follows from the columns of tables must fit every table of every service, whatever it is like. */
describe('export and erasure of data in the schemas of all services', () => {
  const suffix = randomBytes(4).toString('hex');
  const roleOf = (name: ServiceName) => `spec_${name}_${suffix}`;
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  const sources = {} as Record<ServiceName, DataSource>;

  beforeAll(async () => {
    database = await emptyDatabase();
    await migrate(database.url, () => 'a-password-of-the-spec', roleOf);
    for (const service of SERVICES)
      sources[service] = await createDataSource({
        url: urlForRole(database.url, roleOf(service), 'a-password-of-the-spec'),
        schema: service,
        entities: [],
        migrations: [],
        applicationName: 'spec',
        poolSize: 1,
      }).initialize();
  });
  afterAll(async () => {
    for (const source of Object.values(sources)) await source.destroy();
    await database.drop();
    await dropRoles(SERVICES.map(roleOf));
  });

  it.each(SERVICES)('can read the tables of %s by their keys', async (service) => {
    const scope = { organization_ids: [1] };
    for (const person of [null, PERSON])
      await asTenant(scope, async () => {
        expect(await exportRows(sources[service].manager, { scope, person, after: null })).toEqual({
          rows: [],
          next: null,
        });
      });
  });

  it.each(SERVICES)('can erase in every table of %s', async (service) => {
    for (const kind of ['organization', 'sites', 'person'] as const) {
      const subject = { kind, organization_id: 1, site_ids: [1, 2], ...PERSON };
      const erased = await asSystem(() =>
        sources[service].transaction((tx) => eraseRows(tx, subject, { keep: ['audit_log', 'audit_seals'] })),
      );
      expect(erased).toEqual({ counts: {}, more: false });
    }
  });

  // Row-level security lets only leakproof functions look at a row before it does: an index on what others compute is never used for a look-up.
  it.each(SERVICES)('has no index of %s under row-level security that look-ups cannot use', async (service) => {
    const useless: unknown[] = await sources[service].query(
      `SELECT i.indexrelid::regclass::text AS index FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
       WHERE c.relnamespace = current_schema()::regnamespace AND c.relrowsecurity AND i.indexprs IS NOT NULL AND NOT i.indisunique`,
    );
    expect(useless).toEqual([]);
  });
});
