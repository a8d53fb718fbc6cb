import Type from 'typebox';
import {
  Instant,
  InternalId,
  ModuleName,
  ModuleState,
  ModuleType,
  Nullable,
  Risk,
  SiteQuarantine,
  Uuid,
  VersionString,
} from '../primitives.js';
import { defineRpc } from '../rpc-definition.js';
import { PageMeta, Paging, Scope } from './paging.js';
import { ModuleOrigin, Sources, UnknownReason } from './verdicts.js';

/** Drupal's codes, lower case, as `libs/drupal` computes them. */
export const StatusCode = Type.Union([
  Type.Literal('not_secure'),
  Type.Literal('revoked'),
  Type.Literal('not_supported'),
  Type.Literal('not_current'),
  Type.Literal('current'),
  Type.Literal('not_checked'),
  Type.Literal('unknown'),
  Type.Literal('not_fetched'),
  Type.Literal('fetch_pending'),
]);

export const SiteRow = Type.Object({
  id: Uuid,
  organization_id: Uuid,
  name: Type.String(),
  url: Type.String(),
  environment: Type.String(),
  /** Date added. */
  created_at: Instant,
  core_version: Nullable(VersionString),
  core_status: Nullable(StatusCode),
  modules: Type.Integer(),
  /** Modules with any newer recommended release, the security ones included. */
  updates: Type.Integer(),
  /** Modules whose installed version is exposed or marked insecure. */
  security_updates: Type.Integer(),
  /** Modules whose state cannot be known: no history, dev version, no version. */
  unknown: Type.Integer(),
  open_exposures: Type.Integer(),
  worst_risk: Nullable(Risk),
  /** Since when the oldest open exposure stands; null: none is open. */
  exposed_since: Nullable(Instant),
  last_push_at: Nullable(Instant),
  /** false: the last inventory was partial. */
  complete: Nullable(Type.Boolean()),
  /** `waiting` has never pushed; `silent` not for longer than the policy allows. */
  reporting: Type.Union([Type.Literal('waiting'), Type.Literal('reporting'), Type.Literal('silent')]),
  /** Its pushes are held back until a person decides; null: they are taken. */
  quarantine: Nullable(SiteQuarantine),
});
export type SiteRow = Type.Static<typeof SiteRow>;

/** Sorts: name, created_at, last_push_at, security_updates, updates, exposed_since, open_exposures. Default: -security_updates. */
export const listSites = defineRpc({
  method: 'reporting.list-sites',
  service: 'reporting',
  input: Type.Object({
    scope: Scope,
    ...Paging,
    q: Type.Optional(Type.String()),
    environment: Type.Optional(Type.Array(Type.String())),
    /** true: sites with an open exposure; false: those without. */
    exposed: Type.Optional(Type.Boolean()),
    reporting: Type.Optional(Type.Array(Type.String())),
    /** true: sites in quarantine; false: the others. */
    quarantined: Type.Optional(Type.Boolean()),
    module: Type.Optional(ModuleName),
    /** One site by its public id (detail view). */
    site: Type.Optional(Uuid),
  }),
  output: Type.Object({ items: Type.Array(SiteRow), meta: PageMeta }),
});

export const SiteModuleRow = Type.Object({
  module: ModuleName,
  title: Nullable(Type.String()),
  type: ModuleType,
  /** security: exposed or insecure; update: a newer release is recommended; current; unknown. In this order. */
  group: Type.Union([
    Type.Literal('security'),
    Type.Literal('update'),
    Type.Literal('current'),
    Type.Literal('unknown'),
  ]),
  status: StatusCode,
  /**
   * Why the group is unknown: the algorithm's reason, or `exposure-unknown`, where an exposure went over to a version that nobody can judge
   * (a snapshot), whatever the status.
   */
  reason: Nullable(Type.String()),
  state: ModuleState,
  installed_version: Nullable(VersionString),
  recommended_version: Nullable(VersionString),
  latest_version: Nullable(VersionString),
  security_updates: Type.Array(VersionString),
  /** Release date of the recommended version, and whole days since. */
  available_since: Nullable(Instant),
  days_available: Nullable(Type.Integer()),
  /** Open advisories on the installed version. */
  advisories: Type.Array(Type.String()),
  exposed_since: Nullable(Instant),
  installed_since: Nullable(Instant),
  /** Drupal.org page; null for a module that Drupal.org does not know. */
  link: Nullable(Type.String()),
});
export type SiteModuleRow = Type.Static<typeof SiteModuleRow>;

/** All modules of one site: security updates first, other updates next, up to date last, unknown at the end. null: no such site in scope. */
export const siteModules = defineRpc({
  method: 'reporting.site-modules',
  service: 'reporting',
  input: Type.Object({ scope: Scope, site: Uuid, ...Paging, group: Type.Optional(Type.Array(Type.String())) }),
  output: Nullable(Type.Object({ site: SiteRow, items: Type.Array(SiteModuleRow), meta: PageMeta })),
});

/** One module: what it is, and which sites run it at which versions. null: neither known nor installed anywhere in scope. */
export const moduleDetail = defineRpc({
  method: 'reporting.module-detail',
  service: 'reporting',
  input: Type.Object({ scope: Scope, module: ModuleName, ...Paging, version: Type.Optional(VersionString) }),
  output: Nullable(
    Type.Object({
      module: ModuleName,
      title: Nullable(Type.String()),
      type: Nullable(Type.String()),
      link: Nullable(Type.String()),
      origin: ModuleOrigin,
      /** Of an organization's own module: whose; else null. */
      organization_id: Nullable(Uuid),
      recommended_version: Nullable(VersionString),
      supported_branches: Type.Array(Type.String()),
      project_status: Nullable(Type.String()),
      releases: Type.Integer(),
      /** Installed versions over all sites in scope, newest release first. */
      versions: Type.Array(
        Type.Object({
          version: Nullable(VersionString),
          sites: Type.Integer(),
          status: StatusCode,
          /** Why the status is unknown, from the algorithm. */
          reason: Nullable(Type.String()),
          released_at: Nullable(Instant),
          advisories: Type.Array(Type.String()),
          ...Sources,
        }),
      ),
      /** The requested page of sites. */
      sites: Type.Array(
        Type.Object({
          id: Uuid,
          name: Type.String(),
          url: Type.String(),
          environment: Type.String(),
          installed_version: Nullable(VersionString),
          status: StatusCode,
          reason: Nullable(Type.String()),
          advisories: Type.Array(Type.String()),
          exposed_since: Nullable(Instant),
          installed_since: Nullable(Instant),
        }),
      ),
      meta: PageMeta,
    }),
  ),
});

export const ExposureRow = Type.Object({
  id: Uuid,
  site_id: Uuid,
  site_name: Type.String(),
  module: ModuleName,
  /** The version that opened the episode. */
  installed_version: Nullable(VersionString),
  advisory: Nullable(Type.String()),
  advisory_title: Nullable(Type.String()),
  advisory_url: Nullable(Type.String()),
  /** Security releases that fix it; empty: none exists. Several advisories fixed by one release share it. */
  fixed_in: Type.Array(VersionString),
  risk: Nullable(Risk),
  published_at: Instant,
  opened_at: Instant,
  /** `unknown`: the site now runs something that cannot be judged (a dev version). Neither patched nor breached. */
  state: Type.Union([Type.Literal('open'), Type.Literal('unknown'), Type.Literal('closed')]),
  unknown_since: Nullable(Instant),
  closed_at: Nullable(Instant),
  /** The last inventory that still had the unsafe version: the true patch time lies between this and `closed_at`. */
  closed_after: Nullable(Instant),
  reason: Nullable(
    Type.Union([
      Type.Literal('patched'),
      Type.Literal('removed'),
      Type.Literal('retracted'),
      Type.Literal('site_removed'),
    ]),
  ),
  closed_version: Nullable(VersionString),
  /** What the site runs now; null: the module is gone, or names no version. */
  current_version: Nullable(VersionString),
  /** Of an `unknown` one: why nobody can judge that. */
  unknown_reason: Nullable(UnknownReason),
  /** Of `installed_version`, as both sources speak of it now. */
  ...Sources,
  /** Days open, until `closed_at` or now, to two decimals. */
  days: Type.Number(),
  recorded_at: Instant,
});
export type ExposureRow = Type.Static<typeof ExposureRow>;

/** Filters of exposures; instants are RFC 3339 or `YYYY-MM-DD` (that day's start in UTC). */
export const ExposureFilters = {
  site: Type.Optional(Type.Array(Uuid)),
  module: Type.Optional(Type.Array(ModuleName)),
  advisory: Type.Optional(Type.Array(Type.String())),
  state: Type.Optional(Type.Array(Type.String())),
  reason: Type.Optional(Type.Array(Type.String())),
  risk: Type.Optional(Type.Array(Type.String())),
  opened_from: Type.Optional(Instant),
  opened_before: Type.Optional(Instant),
  closed_from: Type.Optional(Instant),
  closed_before: Type.Optional(Instant),
  published_from: Type.Optional(Instant),
  published_before: Type.Optional(Instant),
  /** Exposures that stood open at this instant. */
  open_at: Type.Optional(Instant),
};

/** Sorts: opened_at, closed_at, days, risk, published_at. Default: -opened_at. `after` pages by key for exports. */
export const listExposures = defineRpc({
  method: 'reporting.list-exposures',
  service: 'reporting',
  input: Type.Object({ scope: Scope, ...Paging, ...ExposureFilters, after: Type.Optional(Type.String()) }),
  output: Type.Object({ items: Type.Array(ExposureRow), meta: PageMeta, next: Nullable(Type.String()) }),
});

export const DaysDistribution = Type.Object({
  count: Type.Integer(),
  median: Nullable(Type.Number()),
  p90: Nullable(Type.Number()),
  mean: Nullable(Type.Number()),
  within_a_day: Nullable(Type.Number()),
  within_a_week: Nullable(Type.Number()),
});

/** The fleet at an instant (`as_of`, default now): every figure can be followed to `GET /exposures` with the same instant. */
export const dashboardOverview = defineRpc({
  method: 'reporting.dashboard-overview',
  service: 'reporting',
  input: Type.Object({ scope: Scope, as_of: Type.Optional(Instant) }),
  output: Type.Object({
    as_of: Instant,
    sites: Type.Object({
      total: Type.Integer(),
      /** With at least one exposure open at `as_of`. */
      exposed: Type.Integer(),
      reporting: Type.Integer(),
      silent: Type.Integer(),
      waiting: Type.Integer(),
      /** Whose pushes are held back, now; null when `as_of` lies in the past. */
      quarantined: Nullable(Type.Integer()),
    }),
    modules: Type.Object({
      distinct: Type.Integer(),
      installed: Type.Integer(),
      /** Now, whatever `as_of` says; null when `as_of` lies in the past. */
      updates: Nullable(Type.Integer()),
      security_updates: Nullable(Type.Integer()),
      unknown: Nullable(Type.Integer()),
    }),
    exposures: Type.Object({
      open: Type.Integer(),
      open_by_risk: Type.Record(Type.String(), Type.Integer()),
      /** Pairs of site and module: several advisories on one count once. */
      open_site_modules: Type.Integer(),
      unknown: Type.Integer(),
      opened_last_30_days: Type.Integer(),
      closed_last_30_days: Type.Integer(),
      oldest_open_at: Nullable(Instant),
      /** Age of what is open, in days. */
      open_age_days: DaysDistribution,
    }),
    /** Exposures closed as patched in the 365 days before `as_of`, days from opened to closed. */
    time_to_patch_days: DaysDistribution,
    /** Σ over sites of days with at least one exposure open, over the last 90 days. */
    site_days_exposed_90: Type.Number(),
    worst_sites: Type.Array(
      Type.Object({
        id: Uuid,
        name: Type.String(),
        open_exposures: Type.Integer(),
        exposed_since: Instant,
        worst_risk: Nullable(Risk),
      }),
    ),
    latest_advisories: Type.Array(
      Type.Object({
        advisory: Type.String(),
        module: ModuleName,
        title: Type.String(),
        risk: Nullable(Risk),
        published_at: Instant,
        sites_exposed: Type.Integer(),
        sites_patched: Type.Integer(),
      }),
    ),
  }),
});

/** How one advisory, or all of one day, went through the fleet: who was exposed and how fast it was patched. */
export const patchProgress = defineRpc({
  method: 'reporting.patch-progress',
  service: 'reporting',
  input: Type.Object({
    scope: Scope,
    /** Advisories published in [from, before). */
    published_from: Instant,
    published_before: Instant,
    /** Only this module (`drupal` for core). */
    module: Type.Optional(ModuleName),
  }),
  output: Type.Object({
    advisories: Type.Array(Type.String()),
    /** Sites that had pushed an inventory by then and were not removed. */
    sites_watched: Type.Integer(),
    sites_exposed: Type.Integer(),
    sites_patched: Type.Integer(),
    sites_still_open: Type.Integer(),
    /** Per site: from its first exposure to these advisories to its last patched one. */
    days_to_patch: DaysDistribution,
  }),
});

/** Whether reporting has caught up: used by scripts that load history and must wait for its effect. */
export const reportingProgress = defineRpc({
  method: 'reporting.progress',
  service: 'reporting',
  input: Type.Object({ site_ids: Type.Optional(Type.Array(InternalId)) }),
  output: Type.Object({
    sites: Type.Integer(),
    /** Modules installed somewhere whose release history has not arrived. */
    modules_without_history: Type.Integer(),
    inventories_applied: Type.Integer(),
    advisories: Type.Integer(),
  }),
});
