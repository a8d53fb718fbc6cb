import { gunzipSync } from 'node:zlib';
import type {
  AdvisoryChanged,
  InventoryChanged,
  ModuleReleasesChanged,
  ModulesSeen,
  SiteChanged,
  SitesHeard,
} from '#libs/contracts';
import type { EffectFact } from './identity.js';
import type { Platform } from './platform/platform.js';
import type { Scope } from './scope.js';

/** One row that was ever committed to an outbox, as the platform's trigger wrote it down. */
interface ToldEvent {
  readonly queue: string;
  readonly messageId: string;
  readonly type: string;
  readonly encoding: string;
  readonly body: Buffer;
}

/** What one kind of event brings about, and how its subscriber shows it. */
interface Effect {
  readonly queue: string;
  readonly type: string;
  /** What the event says, one name a fact. */
  readonly facts: (body: never) => string[];
  /** Answers for each of those names that is there how often it is; a name that is missing is not there. */
  readonly found: (platform: Platform) => Promise<Map<string, number>>;
  /** The same fact may be told again (what was heard of a site; a module that two met at once). */
  readonly repeats?: boolean;
}

const EFFECTS: readonly Effect[] = [
  {
    queue: 'reporting.inventory',
    type: 'ingest.inventory-changed',
    facts: ({ site_id, epoch, sequence, push_id }: InventoryChanged) => [`${site_id}/${epoch}/${sequence} ${push_id}`],
    found: (platform) =>
      counted(
        platform,
        `SELECT site_id || '/' || epoch || '/' || sequence || ' ' || push_id AS name FROM reporting.site_inventories`,
      ),
  },
  {
    queue: 'catalog.modules',
    type: 'ingest.modules-seen',
    facts: ({ modules }: ModulesSeen) => modules.map(({ module }) => module),
    found: (platform) => counted(platform, 'SELECT module AS name FROM catalog.modules'),
    repeats: true,
  },
  {
    queue: 'reporting.catalog',
    type: 'catalog.module-releases-changed',
    facts: ({ module, revision }: ModuleReleasesChanged) => [`${module} ${revision}`],
    found: (platform) =>
      counted(platform, `SELECT module || ' ' || r AS name FROM reporting.modules, generate_series(1, revision) AS r`),
  },
  {
    queue: 'reporting.catalog',
    type: 'catalog.advisory-changed',
    facts: ({ advisory, module, revision }: AdvisoryChanged) => [`${advisory} ${module} ${revision}`],
    found: (platform) =>
      counted(
        platform,
        `SELECT a.advisory || ' ' || m.module || ' ' || r AS name
         FROM reporting.advisories a JOIN reporting.modules m USING (module_id), generate_series(1, a.revision) AS r`,
      ),
  },
  ...(['ingest.sites', 'reporting.identity', 'notifier.identity'] as const).map((queue): Effect => ({
    queue,
    type: 'gateway.site-changed',
    facts: ({ site_id, revision }: SiteChanged) => [`${site_id} ${revision}`],
    found: (platform) =>
      counted(
        platform,
        `SELECT site_id || ' ' || r AS name FROM ${queue === 'ingest.sites' ? 'ingest.site_states' : `${queue.split('.')[0]}.sites`}, generate_series(1, revision) AS r`,
      ),
  })),
];

/** For every event committed since the beginning of the scenario: how often it was told, and how often its effect is there. */
export async function readEffects(platform: Platform, scope: Scope): Promise<EffectFact[]> {
  const told = await platform.query<ToldEvent>(
    `SELECT queue, message_id AS "messageId", type, encoding, body FROM faults.events WHERE id > $1 ORDER BY id`,
    [scope.eventsSince],
  );
  const effects: EffectFact[] = [];
  for (const { queue, type, facts, found, repeats } of EFFECTS) {
    const events = told.filter((event) => event.queue === queue && event.type === type);
    if (events.length === 0) continue;
    const messages = new Map<string, Set<string>>();
    for (const event of events) {
      for (const fact of facts(bodyOf(event) as never)) {
        messages.set(fact, (messages.get(fact) ?? new Set()).add(event.messageId));
      }
    }
    const there = await found(platform);
    for (const [fact, ids] of messages) {
      effects.push({
        event: `${type} on ${queue}: ${fact}`,
        messages: repeats ? 1 : ids.size,
        effects: there.get(fact) ?? 0,
      });
    }
  }
  return [...effects, ...(await toldPeople(platform, told)), ...(await summaries(platform, scope, told))];
}

/** Each message to the notifier is in its inbox once. */
async function toldPeople(platform: Platform, told: readonly ToldEvent[]): Promise<EffectFact[]> {
  const ids = [
    ...new Set(told.filter(({ queue }) => queue === 'notifier.exposures').map(({ messageId }) => messageId)),
  ];
  const taken = await counted(
    platform,
    'SELECT message_id AS name FROM notifier.inbox WHERE message_id = ANY($1::text[])',
    [ids],
  );
  return ids.map((id) => ({ event: `reporting.exposures-changed ${id}`, messages: 1, effects: taken.get(id) ?? 0 }));
}

/** What only adds up when every event counted once: the number of a site's inventories, and when it was heard last. */
async function summaries(platform: Platform, scope: Scope, told: readonly ToldEvent[]): Promise<EffectFact[]> {
  const inventories = new Map<number, Set<string>>();
  const heard = new Map<number, number>();
  for (const event of told) {
    if (event.queue !== 'reporting.inventory') continue;
    if (event.type === 'ingest.inventory-changed') {
      const { site_id, epoch, sequence } = bodyOf(event) as InventoryChanged;
      inventories.set(site_id, (inventories.get(site_id) ?? new Set()).add(`${epoch}/${sequence}`));
    } else if (event.type === 'ingest.sites-heard') {
      for (const site of (bodyOf(event) as SitesHeard).sites) {
        heard.set(site.site_id, Math.max(heard.get(site.site_id) ?? 0, Date.parse(site.heard_at)));
      }
    }
  }
  const rows = await platform.query<{ site: number; inventories: number; heardAt: Date | null }>(
    `SELECT site_id AS site, inventories, heard_at AS "heardAt" FROM reporting.site_summaries WHERE site_id = ANY($1::int[])`,
    [scope.siteIds],
  );
  const found = new Map(rows.map((row) => [row.site, row]));
  return [
    ...[...inventories].map(([site, places]) => ({
      event: `${places.size} inventories of site ${site} counted, seen as ${found.get(site)?.inventories}`,
      messages: 1,
      effects: found.get(site)?.inventories === places.size ? 1 : 0,
    })),
    ...[...heard].map(([site, at]) => ({
      event: `site ${site} heard at ${new Date(at).toISOString()}, seen as ${found.get(site)?.heardAt?.toISOString()}`,
      messages: 1,
      effects: (found.get(site)?.heardAt?.getTime() ?? 0) >= at ? 1 : 0,
    })),
  ];
}

async function counted(platform: Platform, sql: string, values: unknown[] = []): Promise<Map<string, number>> {
  const rows = await platform.query<{ name: string; count: number }>(
    `SELECT name, count(*)::int AS count FROM (${sql}) AS found GROUP BY name`,
    values,
  );
  return new Map(rows.map(({ name, count }) => [name, count]));
}

function bodyOf({ body, encoding }: ToldEvent): unknown {
  return JSON.parse((encoding === 'gzip' ? gunzipSync(body) : body).toString('utf8'));
}
