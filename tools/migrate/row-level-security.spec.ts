import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { SERVICES } from '#libs/contracts';
import { dropRoles, emptyDatabase } from '#libs/testing';
import { migrate } from './main.js';

/** Columns that say whose a row is. `gateway.organizations` is told apart by its own id. */
const TENANT_TABLES = `
  SELECT n.nspname AS schema, c.relname AS name, c.oid, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p') AND (
    EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.attname IN ('organization_id', 'organization_ids'))
    OR c.relname = 'organizations')`;

describe('row-level security in the schemas of all services', () => {
  const suffix = randomBytes(4).toString('hex');
  const roles = SERVICES.map((service) => `spec_${service}_${suffix}`);
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  let admin: pg.Client;

  beforeAll(async () => {
    database = await emptyDatabase();
    await migrate(
      database.url,
      () => 'a-password-of-the-spec',
      (service) => `spec_${service}_${suffix}`,
    );
    admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
  });
  afterAll(async () => {
    await admin.end();
    await database.drop();
    await dropRoles(roles);
  });

  it('S54 is forced on every table with an organization, with conditions for reading and for writing', async () => {
    const { rows: tables } = await admin.query<{ schema: string; name: string; bare: boolean }>(
      `SELECT t.schema, t.name,
              NOT (t.enabled AND t.forced AND EXISTS (SELECT FROM pg_policy p
                WHERE p.polrelid = t.oid AND p.polcmd = '*' AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL)) AS bare
       FROM (${TENANT_TABLES}) t ORDER BY 1, 2`,
      [SERVICES],
    );
    expect(tables.filter(({ bare }) => bare)).toEqual([]);
    const names = tables.map(({ schema, name }) => `${schema}.${name}`);
    // The list is not empty by mistake, and has the odd ones.
    expect(names).toEqual(
      expect.arrayContaining([
        'catalog.custom_modules',
        'gateway.audit_log',
        'gateway.organizations',
        'gateway.outbox',
        'gateway.sites',
        'ingest.raw_pushes',
        'ingest.raw_pushes_default',
        'notifier.deliveries',
        'notifier.people',
        'reporting.exposures',
        'reporting.site_modules',
      ]),
    );
    expect(names.length).toBeGreaterThan(40);
  });

  it('S54 holds the roles of the services: they own nothing, bypass nothing, and are in no other role', async () => {
    const { rows } = await admin.query(
      `SELECT rolname, rolsuper, rolbypassrls, rolcreaterole,
              EXISTS (SELECT FROM pg_class WHERE relowner = r.oid) OR EXISTS (SELECT FROM pg_namespace WHERE nspowner = r.oid)
                OR EXISTS (SELECT FROM pg_proc WHERE proowner = r.oid) AS owns,
              EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid) AS in_another
       FROM pg_roles r WHERE rolname = ANY ($1)`,
      [roles],
    );
    expect(rows).toHaveLength(SERVICES.length);
    for (const role of rows)
      expect(role).toMatchObject({
        rolsuper: false,
        rolbypassrls: false,
        rolcreaterole: false,
        owns: false,
        in_another: false,
      });
  });

  it('S54 computes its conditions once a statement, and lets indexes serve the statement itself', async () => {
    await admin.query('SET ROLE ' + roles[SERVICES.indexOf('reporting')]!);
    try {
      await admin.query('SET search_path = reporting');
      await admin.query('SET enable_seqscan = off');
      const { rows } = await admin.query<{ 'QUERY PLAN': string }>(
        `EXPLAIN SELECT 1 FROM sites WHERE organization_id = ANY ('{1,2}') AND site_id > 5`,
      );
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).toMatch(/Index.*Cond: .*organization_id = ANY/);
      expect(plan).toMatch(/InitPlan/);
      expect(plan).not.toMatch(/SubPlan/);
    } finally {
      await admin.query('RESET ROLE');
    }
  });
});
