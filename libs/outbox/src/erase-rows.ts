import type { EntityManager } from 'typeorm';
import type { ErasureSubject } from '#libs/contracts';

/** What went, by table; tables that had nothing are left out. */
export interface ErasedRows {
  readonly counts: Readonly<Record<string, number>>;
  /** Some table had more than was taken at once. */
  readonly more: boolean;
}

export interface EraseOptions {
  /** Tables that keep what they have; whoever names one says why in the receipt. */
  readonly keep?: readonly string[];
  /** Rows of one table at once, so that a transaction stays short. Default 20,000. */
  readonly most?: number;
}

interface Table {
  readonly name: string;
  readonly partitioned: boolean;
  readonly columns: readonly string[];
}

const TABLES = `
  SELECT c.relname::text AS name, c.relkind = 'p' AS partitioned,
         ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns
  FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  ORDER BY c.relname`;

/**
 * Erases what the schema holds of the subject. By the tables' columns, so that no migration can forget it: `organization_id`, `site_id`, `user_id`,
 * `email`; from lists of organizations the one is taken out. Deleting what is gone is nothing: it may run as often as it likes.
 * Run it for the platform (`asSystem`).
 */
export async function eraseRows(
  tx: EntityManager,
  subject: ErasureSubject,
  { keep = [], most = 20_000 }: EraseOptions = {},
): Promise<ErasedRows> {
  const tables = await tx.query<Table[]>(TABLES);
  const counts: Record<string, number> = {};
  let more = false;
  for (const table of tables) {
    if (keep.includes(table.name)) continue;
    const parameters: unknown[] = [];
    const condition = conditionOf(table, subject, (value) => `$${parameters.push(value)}`);
    if (condition === null) continue;
    const name = `"${table.name}"`;
    // A row of a partitioned table is named by its partition, too.
    const row = table.partitioned ? '(tableoid, ctid)' : 'ctid';
    const chosen = `SELECT ${table.partitioned ? 'tableoid, ctid' : 'ctid'} FROM ${name} WHERE ${condition} LIMIT ${most}`;
    const picked = table.partitioned ? `${row} IN (${chosen})` : `${row} = ANY (ARRAY(${chosen}))`;
    const [, gone]: [unknown, number] = await tx.query(`DELETE FROM ${name} WHERE ${picked}`, parameters);
    if (gone > 0) counts[table.name] = gone;
    more ||= gone >= most;
  }
  return { counts: { ...counts, ...(await takeOut(tx, tables, subject)) }, more };
}

/** SQL that finds the subject's rows; null: the table has none of that kind. */
function conditionOf(
  { name, columns }: Table,
  { kind, organization_id, site_ids, site_uuids = [], user_id, user_uuid, email }: ErasureSubject,
  parameter: (value: unknown) => string,
): string | null {
  const has = (column: string): boolean => columns.includes(column);
  const parts: string[] = [];
  // What is on its way, or could not be handled, is kept as it came.
  const messages = name === 'dead_letters' || name === 'outbox';
  if (kind === 'person') {
    if (messages) {
      parts.push(`key = ${parameter(user_uuid)}`);
      // As JSON has it, quotes included: it is the end of other addresses, too.
      if (email !== null) parts.push(`position(convert_to(${parameter(JSON.stringify(email))}, 'UTF8') IN body) > 0`);
    }
    if (has('user_id')) parts.push(`user_id = ${parameter(user_id)}`);
    if (has('email') && email !== null) parts.push(ofAddress(has('user_id'), parameter(email)));
  } else {
    // Who told it says of which site it is by its key alone.
    if (messages) parts.push(`key = ANY (${parameter(site_uuids)}::text[])`);
    if (kind === 'organization' && has('organization_id'))
      parts.push(`organization_id = ${parameter(organization_id)}`);
    if (kind === 'organization' && name === 'organizations' && !has('organization_id'))
      parts.push(`id = ${parameter(organization_id)}`);
    if (has('site_id')) parts.push(`site_id = ANY (${parameter(site_ids)}::bigint[])`);
    else if (name === 'sites') parts.push(`id = ANY (${parameter(site_ids)}::bigint[])`);
  }
  return parts.length === 0 ? null : parts.join(' OR ');
}

/** Rows of an address. One that names an account is that account's: whoever has the address of somebody who left keeps what is hers. */
function ofAddress(namesAccounts: boolean, email: string): string {
  const same = `lower(email) = lower(${email})`;
  return namesAccounts ? `(user_id IS NULL AND ${same})` : same;
}

async function takeOut(
  tx: EntityManager,
  tables: readonly Table[],
  { kind, organization_id }: ErasureSubject,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  if (kind !== 'organization') return counts;
  for (const { name, columns } of tables) {
    if (!columns.includes('organization_ids')) continue;
    const [, changed]: [unknown, number] = await tx.query(
      `UPDATE "${name}" SET organization_ids = array_remove(organization_ids, $1::integer) WHERE $1::integer = ANY (organization_ids)`,
      [organization_id],
    );
    if (changed > 0) counts[name] = changed;
  }
  return counts;
}
