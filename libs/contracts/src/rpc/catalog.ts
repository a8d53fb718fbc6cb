import Type from 'typebox';
import { Instant, InternalId, ModuleName, Nullable, VersionString } from '../primitives.js';
import { defineRpc } from '../rpc-definition.js';
import { PageMeta, Paging, Scope } from './paging.js';
import { StatusCode } from './reporting.js';

/** How asking Drupal.org for one subject stands. All instants are the catalog's. */
export const SyncState = Type.Object({
  /** `module:<name>`, `advisories` (the feed) or `advisory-archive` (all advisories, by pages). */
  subject: Type.String(),
  last_success_at: Nullable(Instant),
  last_attempt_at: Nullable(Instant),
  /** Of the last attempt, when it failed: a stable code (docs/drupal-truth.md lists them) and a sentence. */
  last_failure_code: Nullable(Type.String()),
  last_failure_detail: Nullable(Type.String()),
  /** In a row. */
  failures: Type.Integer(),
  /** Since when what is shown may be out of date: the first failure of the present row. null: it is fresh. */
  stale_since: Nullable(Instant),
  next_due_at: Instant,
});
export type SyncState = Type.Static<typeof SyncState>;

/** What the catalog knows of a module and how fresh it is. null: nobody runs it and nobody declared it. */
export const moduleSync = defineRpc({
  method: 'catalog.module-sync',
  service: 'catalog',
  input: Type.Object({ module: ModuleName }),
  output: Nullable(
    Type.Object({
      module: ModuleName,
      /**
       * `ok`: Drupal.org has its releases; `not_found`: Drupal.org says that it knows no such project; null: not heard yet, or never asked
       * because an organization declared it as its own.
       */
      outcome: Nullable(Type.Union([Type.Literal('ok'), Type.Literal('not_found')])),
      /** Drupal.org knows it for certain: it has releases there, or an advisory names it. No organization may declare such a name as its own. */
      known_upstream: Type.Boolean(),
      /** Of the release history. 0: none yet. */
      revision: Type.Integer(),
      known_at: Nullable(Instant),
      /** null: it is not asked for. */
      sync: Nullable(SyncState),
    }),
  ),
});

export const SyncFailureRow = Type.Object({
  id: Type.Integer(),
  subject: Type.String(),
  /** null: the subject is no module. */
  module: Nullable(ModuleName),
  code: Type.String(),
  detail: Nullable(Type.String()),
  at: Instant,
  /** Which failure in a row it was. */
  failures: Type.Integer(),
});

/** What Drupal.org answered that was not taken, newest first. Kept for 30 days, the latest 100 of each subject. Sorts: at. Default: -at. */
export const listSyncFailures = defineRpc({
  method: 'catalog.list-sync-failures',
  service: 'catalog',
  input: Type.Object({
    ...Paging,
    module: Type.Optional(ModuleName),
    code: Type.Optional(Type.Array(Type.String())),
    from: Type.Optional(Instant),
    before: Type.Optional(Instant),
  }),
  output: Type.Object({ items: Type.Array(SyncFailureRow), meta: PageMeta }),
});

/** How following Drupal.org goes as a whole: for operators. */
export const syncOverview = defineRpc({
  method: 'catalog.sync-overview',
  service: 'catalog',
  input: Type.Object({}),
  output: Type.Object({
    as_of: Instant,
    /** Modules asked for regularly. */
    followed: Type.Integer(),
    /** Of those: never answered yet; answered last with a failure. */
    waiting: Type.Integer(),
    failing: Type.Integer(),
    /** Due and not being asked for: grows when upstream is slower than the beat. */
    overdue: Type.Integer(),
    /** `advisories` and `advisory-archive`. */
    feeds: Type.Array(SyncState),
    advisories: Type.Object({ published: Type.Integer(), retracted: Type.Integer() }),
    failures_last_24_hours: Type.Record(Type.String(), Type.Integer()),
  }),
});

/** The modules that organizations declared as their own, as the catalog took them: what `gateway.custom-module-changed` came to. */
export const customModules = defineRpc({
  method: 'catalog.custom-modules',
  service: 'catalog',
  input: Type.Object({ scope: Scope, modules: Type.Optional(Type.Array(ModuleName)) }),
  output: Type.Object({
    items: Type.Array(
      Type.Object({
        organization_id: InternalId,
        module: ModuleName,
        /** The revision that was taken: compare with the registry's. */
        revision: Type.Integer(),
        taken_at: Instant,
        /** `own`; `known_upstream`: Drupal.org turned out to know a project of this name, whose releases count. */
        state: Type.Union([Type.Literal('own'), Type.Literal('known_upstream')]),
        /** What would be said of a site that has the version, newest release first. */
        versions: Type.Array(
          Type.Object({
            version: VersionString,
            status: StatusCode,
            recommended: Nullable(VersionString),
            security_updates: Type.Array(VersionString),
          }),
        ),
      }),
    ),
  }),
});
