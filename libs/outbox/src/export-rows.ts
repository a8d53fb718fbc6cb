import type { EntityManager } from 'typeorm';
import type { ExportInput, ExportOutput } from '#libs/contracts';

export interface ExportOptions {
  /** Tables whose rows are the platform's own business. */
  readonly skip?: readonly string[];
  /** Columns that nobody may read: what is proved by them would be given away. */
  readonly secret?: RegExp;
}

interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  /** Of the primary key, in its order, with their types. */
  readonly key: readonly { readonly name: string; readonly type: string }[];
  /** A column may hold much. */
  readonly heavy: boolean;
}

/** On their way, or waiting for an operator: copies of what other tables hold. */
const TRANSPORT = ['outbox', 'dead_letters', 'inbox', 'migrations'];

const TABLES = `
  SELECT c.relname::text AS name,
         ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum) AS columns,
         (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) ORDER BY k.position)
          FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, position)
          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
          WHERE i.indrelid = c.oid AND i.indisprimary) AS key,
         EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND atttypid = 'bytea'::regtype) AS heavy
  FROM pg_class c
  WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  ORDER BY c.relname`;

const ROWS = 200;
const HEAVY_ROWS = 20;

/**
 * The next rows that the schema holds of the organizations in scope, or of a person, table by table in the order of their keys. By the tables' columns, so
 * that no table is forgotten; a table without a primary key cannot be continued and is an error.
 */
export async function exportRows(
  tx: Pick<EntityManager, 'query'>,
  { scope, person, after }: ExportInput,
  { skip = [], secret }: ExportOptions = {},
): Promise<ExportOutput> {
  const tables: Table[] = await tx.query(TABLES);
  const names = tables.map(({ name }) => name);
  const from = after === null ? null : readCursor(after);
  for (const table of tables) {
    if (TRANSPORT.includes(table.name) || skip.includes(table.name)) continue;
    if (from !== null && table.name < from.table) continue;
    const parameters: unknown[] = [];
    const parameter = (value: unknown): string => `$${parameters.push(value)}`;
    const condition = conditionOf(table, names, { scope, person }, parameter);
    if (condition === null) continue;
    const { key } = table;
    if (key === null || key.length === 0) throw new Error(`${table.name} has no primary key to be exported by`);
    const order = key.map(({ name }) => `"${name}"`).join(', ');
    const behind =
      from === null || from.table !== table.name
        ? 'true'
        : `(${order}) > (${key.map(({ type }, i) => `${parameter(from.key[i])}::${type}`).join(', ')})`;
    const most = table.heavy ? HEAVY_ROWS : ROWS;
    const shown = table.columns.filter((column) => secret?.test(column) !== true).map((column) => `"${column}"`);
    const rows: { row: Record<string, unknown>; key: string[] }[] = await tx.query(
      `SELECT (SELECT to_jsonb(shown) FROM (SELECT ${shown.map((column) => `t.${column}`).join(', ')}) AS shown) AS row,
              ARRAY[${key.map(({ name }) => `t."${name}"::text`).join(', ')}] AS key
       FROM (SELECT * FROM "${table.name}" WHERE (${condition}) AND ${behind} ORDER BY ${order} LIMIT ${most}) AS t`,
      parameters,
    );
    if (rows.length === 0) continue;
    return {
      rows: rows.map(({ row }) => ({ table: table.name, row })),
      next: Buffer.from(JSON.stringify({ table: table.name, key: rows.at(-1)!.key })).toString('base64url'),
    };
  }
  return { rows: [], next: null };
}

function readCursor(text: string): { table: string; key: string[] } {
  return JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as { table: string; key: string[] };
}

/** SQL that finds the rows; null: the table has none of that kind. */
function conditionOf(
  { name, columns }: Table,
  tables: readonly string[],
  { scope, person }: Pick<ExportInput, 'scope' | 'person'>,
  parameter: (value: unknown) => string,
): string | null {
  const has = (column: string): boolean => columns.includes(column);
  if (person !== null) {
    const parts: string[] = [];
    if (has('user_id')) parts.push(`user_id = ${parameter(person.user_id)}`);
    else if (name === 'users') parts.push(`id = ${parameter(person.user_id)}`);
    if (has('email')) parts.push(`lower(email) = lower(${parameter(person.email)})`);
    if (has('actor')) parts.push(`actor = ${parameter(`user:${person.user_uuid}`)}`);
    return parts.length === 0 ? null : parts.join(' OR ');
  }
  const organizations = (): string => `ANY (${parameter(scope.organization_ids)}::bigint[])`;
  if (has('organization_id')) return `organization_id = ${organizations()}`;
  if (name === 'organizations') return `id = ${organizations()}`;
  if (name === 'users')
    return `id IN (SELECT m.user_id FROM memberships m WHERE m.organization_id = ${organizations()})`;
  if (has('organization_ids')) return `organization_ids && ${parameter(scope.organization_ids)}::integer[]`;
  if (has('site_id') && tables.includes('sites'))
    return `site_id IN (SELECT s.site_id FROM sites s WHERE s.organization_id = ${organizations()})`;
  return null;
}
