import Type from 'typebox';
import { defineEvent } from '../../event-definition.js';
import { Instant, ModuleName, Nullable } from '../../primitives.js';
import { QUEUES } from '../../queues.js';

/** One `<release>` as the document had it. Absent and empty differ: see the status algorithm. */
export const HistoryRelease = Type.Object({
  /** Key in the release map; the displayed version unless `display_version` says otherwise. */
  version: Type.String(),
  display_version: Type.Optional(Type.String()),
  status: Type.Optional(Type.String()),
  release_link: Type.Optional(Type.String()),
  download_link: Type.Optional(Type.String()),
  /** As written (Unix seconds, usually). */
  date: Type.Optional(Type.String()),
  core_compatible: Type.Optional(Type.String()),
  core_compatibility: Type.Optional(Type.String()),
  core_compatibility_message: Type.Optional(Type.String()),
  /** vocabulary → values: `{"Release type": ["Security update", "Insecure"]}`. Absent: the element was absent. */
  terms: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
  /** Text of `<security>` and whether `covered="1"`. */
  security: Type.Optional(Type.Object({ covered: Type.Boolean(), text: Type.String() })),
});
export type HistoryRelease = Type.Static<typeof HistoryRelease>;

/** A release-history document, read but not interpreted; the order of the releases is the document's. */
export const ReleaseHistoryDocument = Type.Object({
  title: Type.Optional(Type.String()),
  short_name: Type.Optional(Type.String()),
  link: Type.Optional(Type.String()),
  type: Type.Optional(Type.String()),
  project_status: Type.Optional(Type.String()),
  supported_branches: Type.Optional(Type.String()),
  releases: Type.Array(HistoryRelease),
});
export type ReleaseHistoryDocument = Type.Static<typeof ReleaseHistoryDocument>;

/** The release history of a module as it stands now, whole. A greater `revision` (of this module) wins. */
export const ModuleReleasesChanged = Type.Object({
  module: ModuleName,
  revision: Type.Integer({ minimum: 1 }),
  /** When this platform first saw this content. */
  known_at: Instant,
  /** `not_found`: upstream answered that it knows no such project. */
  outcome: Type.Union([Type.Literal('ok'), Type.Literal('not_found')]),
  history: Nullable(ReleaseHistoryDocument),
});
export type ModuleReleasesChanged = Type.Static<typeof ModuleReleasesChanged>;

export const moduleReleasesChanged = defineEvent({
  type: 'catalog.module-releases-changed',
  version: 1,
  schema: ModuleReleasesChanged,
  queues: [QUEUES.reportingCatalog],
});
