import Type from 'typebox';
import { Nullable } from '../primitives.js';

/** Who tells of a module: Drupal.org; an organization of its own module; nobody but the sites that run it. */
export const ModuleOrigin = Type.Union([Type.Literal('drupal_org'), Type.Literal('own'), Type.Literal('unknown')]);
export type ModuleOrigin = Type.Static<typeof ModuleOrigin>;

/** What Drupal.org's term `Insecure` says of a release. `not_listed`: the release history has no such release. */
export const DrupalMark = Type.Union([
  Type.Literal('insecure'),
  Type.Literal('not_insecure'),
  Type.Literal('not_listed'),
]);
export type DrupalMark = Type.Static<typeof DrupalMark>;

/** What the ranges of advisories say of a version. */
export const RangeVerdict = Type.Union([Type.Literal('affected'), Type.Literal('unaffected'), Type.Literal('unknown')]);
export type RangeVerdict = Type.Static<typeof RangeVerdict>;

/** What the two sources of exposures say of one version. Both count, and both are kept where they differ. */
export const Sources = {
  /** null: the release history has not arrived, or upstream knows no such project. */
  drupal_mark: Nullable(DrupalMark),
  /** null: no advisory is published for the module. */
  advisory_range: Nullable(RangeVerdict),
  /** One says unsafe and the other says safe. */
  sources_differ: Type.Boolean(),
};

/** Why the state of a module on a site cannot be known. */
export const UnknownReason = Type.Union([
  /** The site's info file names no version. */
  Type.Literal('no_version'),
  /** A dev snapshot: no range and no mark speaks of it. */
  Type.Literal('dev_version'),
  /** What stands there is no version. */
  Type.Literal('unreadable_version'),
  /** Marked releases exist, and this version is in no release history. */
  Type.Literal('not_listed'),
  /** The advisory names no versions that could be compared. */
  Type.Literal('no_range'),
  /** The last inventory was partial and does not name the module: absence says nothing. */
  Type.Literal('inventory_incomplete'),
  /** The site has not been heard from for longer than the policy allows. */
  Type.Literal('silent'),
  /** The site has never pushed. */
  Type.Literal('never_reported'),
]);
export type UnknownReason = Type.Static<typeof UnknownReason>;
