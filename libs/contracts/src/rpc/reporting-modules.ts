import Type from 'typebox';
import { Instant, ModuleName, ModuleType, Nullable, Uuid, VersionString } from '../primitives.js';
import { defineRpc } from '../rpc-definition.js';
import { PageMeta, Paging, Scope } from './paging.js';
import { StatusCode } from './reporting.js';
import { ModuleOrigin, Sources } from './verdicts.js';

export const ModuleRow = Type.Object({
  module: ModuleName,
  title: Nullable(Type.String()),
  type: Nullable(ModuleType),
  origin: ModuleOrigin,
  /** Of an organization's own module: whose; else null. */
  organization_id: Nullable(Uuid),
  link: Nullable(Type.String()),
  /** Drupal.org's word on the project as a whole: `published`, `unsupported`, `insecure`, `revoked`, `unpublished`. */
  project_status: Nullable(Type.String()),
  /** The project as a whole is given up, or some site runs a version that gets no more fixes. */
  unsupported: Type.Boolean(),
  /** What one would install today. */
  recommended_version: Nullable(VersionString),
  latest_release_at: Nullable(Instant),
  /** Sites in scope that run it, and how many versions of it. */
  sites: Type.Integer(),
  versions: Type.Integer(),
  /** Sites on which an exposure of it stands open. */
  sites_exposed: Type.Integer(),
  /** Sites on which it is exposed or its installed version marked insecure. */
  security_updates: Type.Integer(),
  /** Sites for which a newer release is recommended, the security ones included. */
  updates: Type.Integer(),
  /** Sites whose version gets no more fixes. */
  unsupported_sites: Type.Integer(),
  /** Sites on which its state cannot be known. */
  unknown: Type.Integer(),
});
export type ModuleRow = Type.Static<typeof ModuleRow>;

export const ModuleFilters = {
  /** Part of the name or the title. */
  q: Type.Optional(Type.String()),
  type: Type.Optional(Type.Array(Type.String())),
  origin: Type.Optional(Type.Array(Type.String())),
  /** Absent: what sites in scope run, and own modules. true: only what they run. false: what is known and none of them runs. */
  installed: Type.Optional(Type.Boolean()),
  exposed: Type.Optional(Type.Boolean()),
  security_update: Type.Optional(Type.Boolean()),
  update: Type.Optional(Type.Boolean()),
  unsupported: Type.Optional(Type.Boolean()),
  /** State cannot be known on some site. */
  unknown: Type.Optional(Type.Boolean()),
};

export const MODULE_SORTS = [
  'module',
  'title',
  'sites',
  'sites_exposed',
  'security_updates',
  'updates',
  'unknown',
] as const;

/** Default sort: -security_updates. `after` pages by key for exports. */
export const listModules = defineRpc({
  method: 'reporting.list-modules',
  service: 'reporting',
  input: Type.Object({ scope: Scope, ...Paging, ...ModuleFilters, after: Type.Optional(Type.String()) }),
  output: Type.Object({ items: Type.Array(ModuleRow), meta: PageMeta, next: Nullable(Type.String()) }),
});

export const ModuleVersionRow = Type.Object({
  /** null: sites run it without naming a version. */
  version: Nullable(VersionString),
  /** It stands in the release history. */
  listed: Type.Boolean(),
  released_at: Nullable(Instant),
  link: Nullable(Type.String()),
  /** null where the history does not list it. */
  published: Nullable(Type.Boolean()),
  supported: Nullable(Type.Boolean()),
  /** It contains a security fix. */
  security_update: Type.Boolean(),
  /** Covered by Drupal's security advisory policy; null: not said. */
  covered: Nullable(Type.Boolean()),
  core_compatibility: Nullable(Type.String()),
  /** What Drupal says to a site that runs it, and why it does not know. */
  status: StatusCode,
  reason: Nullable(Type.String()),
  /** Advisories whose range it is in; those that name it as a fix. */
  advisories: Type.Array(Type.String()),
  fixes: Type.Array(Type.String()),
  ...Sources,
  /** Sites in scope that run it; and those of them with an open exposure of the module. */
  sites: Type.Integer(),
  sites_exposed: Type.Integer(),
});
export type ModuleVersionRow = Type.Static<typeof ModuleVersionRow>;

export const MODULE_VERSION_SORTS = ['release', 'released_at', 'sites'] as const;

/** Releases of one module and what sites run of it. Default sort: -release. null: as `moduleDetail`. */
export const moduleVersions = defineRpc({
  method: 'reporting.module-versions',
  service: 'reporting',
  input: Type.Object({
    scope: Scope,
    module: ModuleName,
    ...Paging,
    /** true: versions that some site in scope runs. */
    installed: Type.Optional(Type.Boolean()),
    security_update: Type.Optional(Type.Boolean()),
    /** true: versions that the mark or a range calls unsafe. */
    insecure: Type.Optional(Type.Boolean()),
    supported: Type.Optional(Type.Boolean()),
  }),
  output: Nullable(Type.Object({ items: Type.Array(ModuleVersionRow), meta: PageMeta })),
});
