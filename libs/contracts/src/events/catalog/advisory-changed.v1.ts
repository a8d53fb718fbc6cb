import Type from 'typebox';
import { defineEvent } from '../../event-definition.js';
import { Instant, ModuleName, Nullable, Risk, VersionString } from '../../primitives.js';
import { QUEUES } from '../../queues.js';

/** A security advisory as it stands now, whole. A greater `revision` (of this advisory) wins; earlier ones are kept by the catalog. */
export const AdvisoryChanged = Type.Object({
  /** `SA-CORE-2024-003`, `SA-CONTRIB-2026-191`: upper case. */
  advisory: Type.String(),
  module: ModuleName,
  revision: Type.Integer({ minimum: 1 }),
  state: Type.Union([Type.Literal('published'), Type.Literal('retracted')]),
  title: Type.String(),
  url: Type.String(),
  published_at: Instant,
  known_at: Instant,
  risk: Nullable(Risk),
  /** 0–25, and the vector, where the advisory says them. */
  risk_score: Nullable(Type.Integer()),
  risk_vector: Nullable(Type.String()),
  vulnerability: Nullable(Type.String()),
  cves: Type.Array(Type.String()),
  /** Composer constraint over versions for Drupal 8 and newer; null: the advisory names none. */
  affected: Nullable(Type.String()),
  /** Composer constraint over the part behind `7.x-`; null: Drupal 7 is not affected or not said. */
  affected_d7: Nullable(Type.String()),
  /** Versions as Drupal.org writes them. Empty: no fix. */
  fixed: Type.Array(VersionString),
  /** The security team has marked the whole module unsupported: every version is affected, no fix will come. */
  unsupported: Type.Boolean(),
});
export type AdvisoryChanged = Type.Static<typeof AdvisoryChanged>;

export const advisoryChanged = defineEvent({
  type: 'catalog.advisory-changed',
  version: 1,
  schema: AdvisoryChanged,
  queues: [QUEUES.reportingCatalog],
});
