import { AsyncLocalStorage } from 'node:async_hooks';

/** Whose rows statements may touch. `organization_ids: null`: every organization's. */
export interface TenancyScope {
  readonly organization_ids: readonly number[] | null;
  /** Sites of other organizations that may be read, because they are shared. */
  readonly shared_site_ids?: readonly number[];
}

/** Values of the settings that row-level security reads, in the order of `TENANCY_SETTINGS`. */
export interface TenancySettings {
  readonly values: readonly [scope: string, organizations: string, sites: string];
  /** Equal for equal values; empty for nobody. */
  readonly key: string;
}

/** Settings of a transaction that the policies of `separate-tenants.ts` read. */
export const TENANCY_SETTINGS = ['patchwatch.scope', 'patchwatch.organizations', 'patchwatch.sites'] as const;

const NOBODY: TenancySettings = { values: ['', '', ''], key: '' };
const SYSTEM: TenancySettings = { values: ['system', '', ''], key: 'system' };

const held = new AsyncLocalStorage<{ settings: TenancySettings }>();

/** For whom everything runs that runs now. Outside of the functions below: for nobody, who sees no row of any tenant. */
export function currentTenancy(): TenancySettings {
  return held.getStore()?.settings ?? NOBODY;
}

/**
 * Runs `work`, and all that it awaits or starts, for every organization. For what acts for the platform: consumers, sweepers, and what must be
 * known before anybody is somebody. Say it where it is needed, around as little as possible.
 */
export function asSystem<T>(work: () => T): T {
  return held.run({ settings: SYSTEM }, work);
}

/** Runs `work`, and all that it awaits, for those in `scope`. @throws RangeError for an id that is no safe integer */
export function asTenant<T>(scope: TenancyScope, work: () => T): T {
  return held.run({ settings: settingsOf(scope) }, work);
}

/** Runs `work` for nobody, until it says who asks (`nowActsFor`): a request whose sender is not known yet. */
export function asSomebody<T>(work: () => T): T {
  return held.run({ settings: NOBODY }, work);
}

/** From now on the surrounding `asSomebody` runs for those in `scope`. @throws Error outside of one */
export function nowActsFor(scope: TenancyScope): void {
  const store = held.getStore();
  if (store === undefined) throw new Error('nowActsFor belongs inside of asSomebody');
  store.settings = settingsOf(scope);
}

function settingsOf(scope: TenancyScope): TenancySettings {
  if (scope.organization_ids === null) return SYSTEM;
  const organizations = listOf(scope.organization_ids);
  const sites = listOf(scope.shared_site_ids ?? []);
  return { values: ['tenant', organizations, sites], key: `tenant ${organizations} ${sites}` };
}

/** As Postgres writes an array; nothing else than whole numbers gets in. */
function listOf(ids: readonly number[]): string {
  for (const id of ids) if (!Number.isSafeInteger(id)) throw new RangeError(`${id} is no id`);
  return `{${ids.join(',')}}`;
}
