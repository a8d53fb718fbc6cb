import { createHash } from 'node:crypto';
import type { Pool, QueryResultRow } from 'pg';
import type { DataSource } from 'typeorm';

/** Names of the statements by their text. There are as many as the code has. */
const names = new Map<string, string>();

/**
 * Runs one statement outside of a transaction, prepared: each connection parses and plans it once. TypeORM has no way to name a statement, and an
 * unnamed one is planned each time, which for one over tables with row-level security often takes longer than running it. Like all others it runs
 * for whom it is issued (`tenancy.ts`).
 * @param text always the same few, values are parameters and never parts of it; its plan must be good for all values
 * @throws the database's error
 */
export async function prepared<Row extends QueryResultRow>(
  dataSource: DataSource,
  text: string,
  values: readonly unknown[],
): Promise<Row[]> {
  const pool = (dataSource.driver as unknown as { readonly master: Pool }).master;
  // Not `pool.query`: when the pool is used up, it issues the statement while somebody else gives his connection back, and so for him.
  const client = await pool.connect();
  // A link that breaks fails the statement, too; unheard it would end the process.
  let broken = false;
  const onBroken = (): void => void (broken = true);
  client.on('error', onBroken);
  try {
    const { rows } = await client.query<Row>({ name: nameOf(text), text, values: values as unknown[] });
    return rows;
  } catch (error) {
    // What the server merely refuses leaves the connection as it was.
    broken ||= (error as { severity?: string }).severity !== 'ERROR';
    throw error;
  } finally {
    client.removeListener('error', onBroken);
    client.release(broken);
  }
}

function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `p_${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`;
    names.set(text, name);
  }
  return name;
}
