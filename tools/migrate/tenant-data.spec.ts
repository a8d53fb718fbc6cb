import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { SERVICES, type ErasureSubject, type ServiceName } from '#libs/contracts';
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

  /** Erases in one schema what was put there before, and says of which rows something is left. */
  async function leftAfter(service: ServiceName, subject: Partial<ErasureSubject>, rows: string[], left: string) {
    const whole = { kind: 'person', organization_id: null, site_ids: [], user_id: null, user_uuid: null, email: null };
    return asSystem(() =>
      sources[service].transaction(async (tx) => {
        for (const statement of rows) await tx.query(statement);
        await eraseRows(tx, { ...whole, ...subject } as ErasureSubject);
        const found = await tx.query<{ row: string }[]>(left);
        return found.map(({ row }) => row);
      }),
    );
  }

  it('S83 erases what is a person’s, and nothing of who has an address that ends as hers, or the one that was hers', async () => {
    const left = await leftAfter(
      'notifier',
      { user_id: 7, user_uuid: NONE, email: 'ann@agency.example' },
      [
        `INSERT INTO people (user_id, user_uuid, email, name, superuser, active, organization_ids, revision)
         SELECT id, gen_random_uuid(), email, 'A person', false, true, '{}', 1
         FROM (VALUES (7, 'ann@agency.example'), (8, 'joann@agency.example'), (9, 'ann@agency.example')) AS t (id, email)`,
        `INSERT INTO deliveries (delivery_id, user_id, kind, email, subject, text_body, html_body, headers, state, created_at, next_attempt_at)
         SELECT gen_random_uuid(), id, 'invitation', email, '', '', '', '{}', 'sent', now(), now()
         FROM (VALUES (7, 'Ann@old.example'), (NULL, 'Ann@agency.example'), (NULL, 'joann@agency.example'), (9, 'ann@agency.example'))
           AS t (id, email)`,
        `INSERT INTO dead_letters (queue, fingerprint, code, detail, deliveries, key, body)
         SELECT 'notifier.identity', email, 'data_rejected', '', 5, email, convert_to(json_build_object('email', email)::text, 'UTF8')
         FROM (VALUES ('ann@agency.example'), ('joann@agency.example')) AS t (email)`,
      ],
      `SELECT 'person ' || user_id AS row FROM people
       UNION ALL SELECT 'letter to ' || email || ' of ' || coalesce(user_id::text, 'nobody') FROM deliveries
       UNION ALL SELECT 'dead letter of ' || key FROM dead_letters ORDER BY 1`,
    );
    expect(left).toEqual([
      'dead letter of joann@agency.example',
      'letter to ann@agency.example of 9',
      'letter to joann@agency.example of nobody',
      'person 8',
      'person 9',
    ]);
  });

  it('S83 erases with sites what came of them and could not be handled', async () => {
    const [gone, stays] = [randomUUID(), randomUUID()];
    const left = await leftAfter(
      'ingest',
      { kind: 'sites', site_ids: [4711], site_uuids: [gone] },
      [
        `INSERT INTO dead_letters (queue, fingerprint, code, detail, deliveries, key, organization_id, body)
         SELECT 'ingest.pushes', key, 'data_rejected', '', 5, key, 1, 'modules' FROM unnest('{${gone},${stays}}'::text[]) AS key`,
      ],
      'SELECT key AS row FROM dead_letters',
    );
    expect(left).toEqual([stays]);
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
