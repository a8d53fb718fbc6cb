import {
  advisoryChanged,
  inventoryChanged,
  moduleReleasesChanged,
  organizationChanged,
  problemsOf,
  siteChanged,
  sitesHeard,
  type AdvisoryChanged,
  type EventDefinition,
  type InventoryChanged,
  type ModuleReleasesChanged,
  type OrganizationChanged,
  type SiteChanged,
  type SitesHeard,
} from '#libs/contracts';

/** What reporting takes of a telling. */
export const TOLD_EVENTS: readonly EventDefinition[] = [
  organizationChanged,
  siteChanged,
  moduleReleasesChanged,
  advisoryChanged,
  inventoryChanged,
  sitesHeard,
];

/** One part of the rebuild: what belongs into one transaction. */
export type ToldPart =
  | { readonly kind: 'registry'; readonly organizations: OrganizationChanged[]; readonly sites: SiteChanged[] }
  | { readonly kind: 'modules'; readonly histories: ModuleReleasesChanged[]; readonly advisories: AdvisoryChanged[] }
  | {
      readonly kind: 'site';
      readonly inventories: { readonly inventory: InventoryChanged; readonly reconstructed: boolean }[];
      readonly heard: SitesHeard['sites'][number];
    };

/** A telling that cannot be followed: a line that is no fact, or an end that did not come. */
export class BrokenTellingError extends Error {
  constructor(message: string) {
    super(message);
    this.name = BrokenTellingError.name;
  }
}

/** Facts of the registry, and modules, in one transaction. */
const TOGETHER = 50;

/**
 * Puts the lines of all tellers together into parts. Order: the registry, the catalog (advisories before histories), ingest (of each site its
 * inventories, then that it was heard from); every teller ends with a line that says so.
 * @throws BrokenTellingError
 */
export async function* partsOf(lines: AsyncIterable<string>, tellers: readonly string[]): AsyncGenerator<ToldPart> {
  const ended = new Set<string>();
  const advisories = new Map<string, AdvisoryChanged[]>();
  let registry: Extract<ToldPart, { kind: 'registry' }> = { kind: 'registry', organizations: [], sites: [] };
  let modules: Extract<ToldPart, { kind: 'modules' }> = { kind: 'modules', histories: [], advisories: [] };
  let inventories: Extract<ToldPart, { kind: 'site' }>['inventories'] = [];
  for await (const line of lines) {
    if (line === '') continue;
    const told = factOf(line);
    if ('end' in told) {
      ended.add(told.end);
      if (registry.organizations.length + registry.sites.length > 0) yield registry;
      registry = { kind: 'registry', organizations: [], sites: [] };
      if (modules.histories.length > 0) yield modules;
      modules = { kind: 'modules', histories: [], advisories: [] };
      // Advisories on modules whose releases nobody has told of.
      const left = [...advisories.values()];
      for (let start = 0; start < left.length; start += TOGETHER)
        yield { kind: 'modules', histories: [], advisories: left.slice(start, start + TOGETHER).flat() };
      advisories.clear();
      continue;
    }
    const { type, body, reconstructed } = told;
    if (type === organizationChanged.type) registry.organizations.push(body as OrganizationChanged);
    else if (type === siteChanged.type) registry.sites.push(body as SiteChanged);
    else if (type === advisoryChanged.type) {
      const advisory = body as AdvisoryChanged;
      advisories.set(advisory.module, [...(advisories.get(advisory.module) ?? []), advisory]);
    } else if (type === moduleReleasesChanged.type) {
      const history = body as ModuleReleasesChanged;
      modules.histories.push(history);
      modules.advisories.push(...(advisories.get(history.module) ?? []));
      advisories.delete(history.module);
    } else if (type === inventoryChanged.type) {
      inventories.push({ inventory: body as InventoryChanged, reconstructed });
    } else {
      for (const heard of (body as SitesHeard).sites) {
        const own = inventories.filter(({ inventory }) => inventory.site_id === heard.site_id);
        if (own.length < inventories.length)
          throw new BrokenTellingError(`Inventories of another site came before site ${heard.site_id} was heard from.`);
        yield { kind: 'site', inventories: own, heard };
        inventories = [];
      }
    }
    if (registry.organizations.length + registry.sites.length >= TOGETHER) {
      yield registry;
      registry = { kind: 'registry', organizations: [], sites: [] };
    }
    if (modules.histories.length >= TOGETHER || (modules.histories.length > 0 && line.length > 100_000)) {
      yield modules;
      modules = { kind: 'modules', histories: [], advisories: [] };
    }
  }
  const silent = tellers.filter((teller) => !ended.has(teller));
  if (silent.length > 0)
    throw new BrokenTellingError(
      `${silent.join(' and ')} ended before everything was told; what was told so far is rebuilt.`,
    );
}

type ToldFact = { readonly type: string; readonly body: unknown; readonly reconstructed: boolean };

function factOf(line: string): ToldFact | { readonly end: string } {
  let told: { type?: unknown; version?: unknown; body?: unknown; reconstructed?: unknown; end?: unknown };
  try {
    told = JSON.parse(line) as typeof told;
  } catch {
    throw new BrokenTellingError(`A line is no JSON: ${line.slice(0, 80)}`);
  }
  if (typeof told.end === 'string') return { end: told.end };
  const event = TOLD_EVENTS.find(({ type, version }) => type === told.type && version === told.version);
  if (!event) throw new BrokenTellingError(`Reporting takes no ${String(told.type)}@${String(told.version)}.`);
  const problems = problemsOf(event.schema)(told.body);
  if (problems.length > 0)
    throw new BrokenTellingError(`A ${event.type} does not fit its contract: ${problems.join('; ')}`);
  return { type: event.type, body: told.body, reconstructed: told.reconstructed === true };
}
