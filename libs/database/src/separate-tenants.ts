import type pg from 'pg';
import { TENANCY_SETTINGS } from './tenancy.js';

const [SCOPE, ORGANIZATIONS, SITES] = TENANCY_SETTINGS;

/**
 * True for the platform's own work. The inner SELECT makes it a value computed once a statement. `<>` on purpose: of it Postgres assumes that
 * it holds for nearly every row, which is what the planner must believe of a condition that an index on the statement's own makes redundant; of numbers, because it is looked at for every row.
 */
const IS_SYSTEM = `(SELECT CASE current_setting('${SCOPE}', true) WHEN 'system' THEN 1 ELSE 0 END) <> 0`;

/** The ids in a setting, read once a statement. A setting of a transaction that is over is the empty text. */
const idsIn = (setting: string): string =>
  `((SELECT nullif(current_setting('${setting}', true), '')::integer[])::integer[])`;

/** Policies are compared by name: a changed definition needs a new one. */
const TENANCY = 'tenancy_2';
const SHARED = 'shared_1';

/** Keys of a site open it: they are its owner's, with whomever the site is shared. */
const NEVER_SHARED = ['api_keys'];

/** Tables of the platform's own that everybody may read, and nobody but the platform may write. Those of neither kind are read before anybody is somebody. */
const PLATFORM_DATA = ['plans'];
const READABLE = 'readable_1';
const PLATFORM = 'platform_1';

/** A table with rows of tenants. */
export interface TenantTable {
  readonly name: string;
  readonly columns: readonly string[];
}

/** The policies of a table by name; null: it has no rows of tenants, and none that everybody shall read alone. */
export function tenantPolicies({ name, columns }: TenantTable): Readonly<Record<string, string>> | null {
  if (PLATFORM_DATA.includes(name))
    return { [READABLE]: 'FOR SELECT USING (true)', [PLATFORM]: `USING (${IS_SYSTEM}) WITH CHECK (${IS_SYSTEM})` };
  const own = ownedBy(name, columns);
  if (own === null) return null;
  const site = NEVER_SHARED.includes(name) ? null : siteColumn(name, columns);
  const allowed = `${IS_SYSTEM} OR ${own}`;
  return {
    [TENANCY]: `USING (${allowed}) WITH CHECK (${allowed})`,
    ...(site === null ? {} : { [SHARED]: `FOR SELECT USING (${site} = ANY ${idsIn(SITES)})` }),
  };
}

/** DDL that puts a table under its policies; `table` is safe SQL. */
export function tenantPolicySql(table: string, policies: Readonly<Record<string, string>>): string {
  const made = Object.entries(policies).map(
    ([policy, definition]) =>
      `DROP POLICY IF EXISTS ${policy} ON ${table}; CREATE POLICY ${policy} ON ${table} ${definition};`,
  );
  return `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY; ALTER TABLE ${table} FORCE ROW LEVEL SECURITY; ${made.join(' ')}`;
}

/**
 * Puts every table of the schema that has rows of tenants under row-level security, its owner included: a statement sees and writes the rows of
 * those for whom it runs (`tenancy.ts`). By the columns, so that no migration can forget it. Idempotent; a table that is as it shall be is not touched.
 * @throws Error when the service's role could read past it
 */
export async function separateTenants(admin: pg.Client, schema: string, role: string): Promise<void> {
  const { rows: roles } = await admin.query<{ past: boolean }>(
    'SELECT rolsuper OR rolbypassrls AS past FROM pg_roles WHERE rolname = $1',
    [role],
  );
  if (roles[0]?.past !== false)
    throw new Error(`The role ${role} may read every tenant's rows: ALTER ROLE ${role} NOSUPERUSER NOBYPASSRLS.`);
  const { rows: tables } = await admin.query<TenantTable & { forced: boolean; policies: string[] }>(
    `SELECT c.relname::text AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced,
            ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns,
            ARRAY(SELECT polname::text FROM pg_policy WHERE polrelid = c.oid) AS policies
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') ORDER BY c.relname`,
    [schema],
  );
  for (const table of tables) {
    const wanted = tenantPolicies(table);
    if (wanted === null) continue;
    const names = Object.keys(wanted);
    const obsolete = table.policies.filter(
      (policy) => /^(tenancy|shared|readable|platform)_\d+$/.test(policy) && !names.includes(policy),
    );
    if (table.forced && obsolete.length === 0 && names.every((name) => table.policies.includes(name))) continue;
    const qualified = `${schema}.${admin.escapeIdentifier(table.name)}`;
    const drops = obsolete.map((policy) => `DROP POLICY ${policy} ON ${qualified};`).join(' ');
    await admin.query(`${tenantPolicySql(qualified, wanted)} ${drops}`);
  }
}

function ownedBy(table: string, columns: readonly string[]): string | null {
  if (columns.includes('organization_id')) return `organization_id = ANY ${idsIn(ORGANIZATIONS)}`;
  if (columns.includes('organization_ids')) return `organization_ids && ${idsIn(ORGANIZATIONS)}`;
  if (table === 'organizations') return `id = ANY ${idsIn(ORGANIZATIONS)}`;
  return null;
}

function siteColumn(table: string, columns: readonly string[]): string | null {
  if (columns.includes('site_id')) return 'site_id';
  return table === 'sites' ? 'id' : null;
}
