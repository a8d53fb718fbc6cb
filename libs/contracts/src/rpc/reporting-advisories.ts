import Type from 'typebox';
import { Instant, ModuleName, Nullable, Risk, Uuid, VersionString } from '../primitives.js';
import { defineRpc } from '../rpc-definition.js';
import { PageMeta, Paging, Scope } from './paging.js';
import { Sources, UnknownReason } from './verdicts.js';

const AdvisoryWords = {
  /** `SA-CORE-2024-003`. */
  id: Type.String(),
  module: ModuleName,
  module_title: Nullable(Type.String()),
  title: Type.String(),
  url: Type.String(),
  /** `retracted`: the security team took it back; it exposes nobody. */
  state: Type.Union([Type.Literal('published'), Type.Literal('retracted')]),
  risk: Nullable(Risk),
  /** 0–25. */
  risk_score: Nullable(Type.Integer()),
  risk_vector: Nullable(Type.String()),
  vulnerability: Nullable(Type.String()),
  cves: Type.Array(Type.String()),
  /** Composer constraint over versions for Drupal 8 and newer; null: none is named. */
  affected: Nullable(Type.String()),
  /** The same over the part behind `7.x-`. */
  affected_d7: Nullable(Type.String()),
  /** Empty: there is no fix. */
  fixed: Type.Array(VersionString),
  /** The whole module was given up: every version is affected. */
  unsupported: Type.Boolean(),
  published_at: Instant,
  /** 1, and one more with each change of it. */
  revision: Type.Integer(),
  /** When the platform first saw this revision. */
  known_at: Instant,
};

export const AdvisoryRow = Type.Object({
  ...AdvisoryWords,
  /** Sites in scope that are or were exposed to it; those on which it stands open; and those that have patched it. */
  sites_exposed: Type.Integer(),
  sites_open: Type.Integer(),
  sites_patched: Type.Integer(),
  /** Sites that run a version which cannot be compared with its range. */
  sites_unknown: Type.Integer(),
});
export type AdvisoryRow = Type.Static<typeof AdvisoryRow>;

export const AdvisoryFilters = {
  /** Part of the id, the title, the module's name or title, or a CVE. */
  q: Type.Optional(Type.String()),
  module: Type.Optional(Type.Array(ModuleName)),
  risk: Type.Optional(Type.Array(Type.String())),
  state: Type.Optional(Type.Array(Type.String())),
  cve: Type.Optional(Type.Array(Type.String())),
  /** true: open on some site in scope. */
  exposed: Type.Optional(Type.Boolean()),
  /** true: sites in scope are or were exposed to it. */
  matched: Type.Optional(Type.Boolean()),
  fixed: Type.Optional(Type.Boolean()),
  published_from: Type.Optional(Instant),
  published_before: Type.Optional(Instant),
};

export const ADVISORY_SORTS = ['published_at', 'known_at', 'id', 'risk', 'sites_exposed', 'sites_open'] as const;

/** Default sort: -published_at. `after` pages by key for exports. */
export const listAdvisories = defineRpc({
  method: 'reporting.list-advisories',
  service: 'reporting',
  input: Type.Object({ scope: Scope, ...Paging, ...AdvisoryFilters, after: Type.Optional(Type.String()) }),
  output: Type.Object({ items: Type.Array(AdvisoryRow), meta: PageMeta, next: Nullable(Type.String()) }),
});

/**
 * How a site stands to an advisory. `exposed`, `patched` and `removed` are matched: the site ran a version it covers. `unknown` is neither
 * safe nor exposed.
 */
export const AdvisoryVerdict = Type.Union([
  Type.Literal('exposed'),
  Type.Literal('unknown'),
  Type.Literal('patched'),
  Type.Literal('removed'),
  Type.Literal('unaffected'),
]);
export type AdvisoryVerdict = Type.Static<typeof AdvisoryVerdict>;

/** Why the verdict is what it is; beside these the reasons of `unknown`. */
export const AdvisoryReason = Type.Union([
  Type.Literal('version_affected'),
  Type.Literal('patched'),
  Type.Literal('removed'),
  Type.Literal('not_installed'),
  Type.Literal('version_not_affected'),
  Type.Literal('retracted'),
  ...UnknownReason.anyOf,
]);
export type AdvisoryReason = Type.Static<typeof AdvisoryReason>;

export const AdvisorySiteRow = Type.Object({
  id: Uuid,
  name: Type.String(),
  url: Type.String(),
  environment: Type.String(),
  verdict: AdvisoryVerdict,
  reason: AdvisoryReason,
  /** The reason as a sentence. */
  detail: Type.String(),
  /** null: the module is not installed now, or names no version. */
  installed_version: Nullable(VersionString),
  ...Sources,
  /** Of the latest exposure to it; null: there was none. */
  exposure_id: Nullable(Uuid),
  opened_at: Nullable(Instant),
  closed_at: Nullable(Instant),
  /** When an exposure to it was last taken back, because the advisory was revised or retracted. */
  voided_at: Nullable(Instant),
  last_push_at: Nullable(Instant),
});
export type AdvisorySiteRow = Type.Static<typeof AdvisorySiteRow>;

export const ADVISORY_SITE_SORTS = ['verdict', 'name', 'opened_at', 'closed_at'] as const;

/** One version of an advisory: all of them are kept. */
export const AdvisoryRevision = Type.Object({
  revision: Type.Integer(),
  known_at: Instant,
  state: AdvisoryWords.state,
  title: Type.String(),
  published_at: Instant,
  risk: Nullable(Risk),
  cves: Type.Array(Type.String()),
  affected: Nullable(Type.String()),
  affected_d7: Nullable(Type.String()),
  fixed: Type.Array(VersionString),
  unsupported: Type.Boolean(),
  /** Members that differ from the revision before; empty for the first one known. */
  changed: Type.Array(Type.String()),
});
export type AdvisoryRevision = Type.Static<typeof AdvisoryRevision>;

/** One advisory as it stands, its versions, and how the sites in scope stand to it: the first of each list. null: no such advisory. */
export const advisoryDetail = defineRpc({
  method: 'reporting.advisory-detail',
  service: 'reporting',
  input: Type.Object({ scope: Scope, advisory: Type.String(), sites: Type.Integer({ minimum: 0, maximum: 100 }) }),
  output: Nullable(
    Type.Object({
      ...AdvisoryWords,
      /** All versions known, the newest first. */
      revisions: Type.Array(AdvisoryRevision),
      /** Sites in scope by verdict; every site has exactly one. */
      sites: Type.Object({
        total: Type.Integer(),
        exposed: Type.Integer(),
        unknown: Type.Integer(),
        patched: Type.Integer(),
        removed: Type.Integer(),
        unaffected: Type.Integer(),
      }),
      /** Sites in scope by reason. */
      reasons: Type.Record(Type.String(), Type.Integer()),
      /** Exposures to it that were taken back: they never were, and count nowhere else. */
      exposures_voided: Type.Integer(),
      /** Sites of which Drupal.org's mark and the ranges of advisories say different things. */
      sites_differing: Type.Integer(),
      matched_sites: Type.Array(AdvisorySiteRow),
      unknown_sites: Type.Array(AdvisorySiteRow),
      unaffected_sites: Type.Array(AdvisorySiteRow),
      as_of: Instant,
    }),
  ),
});

/** Default sort: verdict (worst first). null: no such advisory. */
export const advisorySites = defineRpc({
  method: 'reporting.advisory-sites',
  service: 'reporting',
  input: Type.Object({
    scope: Scope,
    advisory: Type.String(),
    ...Paging,
    verdict: Type.Optional(Type.Array(Type.String())),
    reason: Type.Optional(Type.Array(Type.String())),
    sources_differ: Type.Optional(Type.Boolean()),
    q: Type.Optional(Type.String()),
  }),
  output: Nullable(Type.Object({ items: Type.Array(AdvisorySiteRow), meta: PageMeta })),
});
