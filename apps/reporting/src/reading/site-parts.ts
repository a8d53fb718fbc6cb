import type { Scope } from '#libs/contracts';
import { SqlConditions } from './sql-conditions.js';

/** Into how many parts the sites of a scope fall, by site id. More parts: less to read after a change, more to keep apart. */
export const SITE_PARTS = 128;

/** Conditions on `sites s`: those of some parts of a scope. */
export function chosenSites(scope: Scope, parts: readonly number[]): SqlConditions {
  return new SqlConditions().within(scope, 's').add(`s.site_id % ${SITE_PARTS} = ANY (?::int[])`, parts);
}
