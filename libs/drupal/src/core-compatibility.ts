import { matches, parseConstraint, type Constraint } from './composer-constraint.js';
import { compareComposer, normalizeVersion, stabilityOf, type ComposerVersion } from './composer-version.js';
import { isEmpty } from './loose-values.js';
import { inSupportedBranch, preparedOf, shownVersion, type PreparedHistory } from './prepared-history.js';
import type { ProjectStatus } from './project-status.js';
import type { HistoryRelease, ReleaseHistoryDocument } from './release-history.js';

/** On which cores a release runs. */
export interface CoreCompatibility {
  constraint: string;
  /** The installed core satisfies the constraint. */
  compatible: boolean;
  /** Runs of neighbouring cores one could update to: `[low, high]`, or `[single]`. */
  coreRanges: string[][];
}

interface CandidateCore {
  version: string;
  composer: ComposerVersion;
}

/** The installed core and those it could be updated to, worked out once for all projects of a site. */
export interface CoreCandidates {
  readonly installed: ComposerVersion | null;
  readonly candidates: readonly CandidateCore[];
}

/**
 * The stable cores in supported branches that are not older than the installed one, in Composer's order.
 * @param coreVersions every version in core's feed.
 */
export function coreCandidates(
  coreVersions: Iterable<string>,
  supportedBranches: readonly string[],
  installedCore: string,
): CoreCandidates {
  const all = [...coreVersions];
  const installed = normalizeVersion(installedCore);
  const atLeast = parseConstraint(`>= ${installedCore}`);
  if (!all.includes(installedCore) || !atLeast) return { installed, candidates: [] };
  const candidates = all
    .filter((version) => inSupportedBranch(version, supportedBranches))
    .map((version) => ({ version, composer: normalizeVersion(version) }))
    .filter((core): core is CandidateCore => core.composer !== null && matches(core.composer, atLeast))
    .filter(({ version }) => stabilityOf(version) === 'stable')
    .sort((a, b) => compareComposer(a.composer, b.composer));
  return { installed, candidates };
}

/** On which cores a release with this constraint runs; null: not worked out (no constraint, no candidates). */
export function coreCompatibility(constraint: string | undefined, cores: CoreCandidates): CoreCompatibility | null {
  if (constraint === undefined || isEmpty(constraint) || cores.candidates.length === 0) return null;
  const parsed = parseConstraint(constraint);
  return {
    constraint,
    compatible: parsed !== null && cores.installed !== null && matches(cores.installed, parsed),
    coreRanges: parsed === null ? [] : ranges(cores.candidates, parsed),
  };
}

/**
 * Core compatibility of the releases a project's status names. For every project but core.
 * @param core core's release history; needs releases and a non-empty `supported_branches`.
 * @returns version → compatibility; null: nothing could be worked out.
 */
export function projectCoreCompatibility(
  status: ProjectStatus,
  history: ReleaseHistoryDocument | PreparedHistory | null,
  cores: CoreCandidates | null,
): Map<string, CoreCompatibility> | null {
  if (!history || !cores || cores.candidates.length === 0) return null;
  const { releases } = preparedOf(history);
  const shown = new Set(status.releases);
  const named = [status.recommended, status.latestVersion, ...status.also.map(([, version]) => version)];
  const versions = [...named.filter((version) => version !== null && shown.has(version)), ...status.securityUpdates];
  const result = new Map<string, CoreCompatibility>();
  for (const version of versions as string[]) {
    const compatibility = coreCompatibility(releaseNamed(version, releases)?.core_compatibility, cores);
    if (compatibility) result.set(version, compatibility);
  }
  return result.size > 0 ? result : null;
}

/** A release by its key or, for the rare one with two versions, by the version that is shown. */
function releaseNamed(version: string, releases: PreparedHistory['releases']): HistoryRelease | undefined {
  return releases.get(version) ?? [...releases.values()].find((release) => shownVersion(release) === version);
}

/** The candidates from core's own history; null when that history does not allow to work anything out. */
export function coreCandidatesOf(
  core: ReleaseHistoryDocument | PreparedHistory | null,
  installedCore: string,
): CoreCandidates | null {
  if (!core) return null;
  const prepared = preparedOf(core);
  if (prepared.releases.size === 0 || !prepared.branches || isEmpty(prepared.branches.join(','))) return null;
  return coreCandidates(prepared.releases.keys(), prepared.branches, installedCore);
}

function ranges(candidates: readonly CandidateCore[], constraint: Constraint): string[][] {
  const found: string[][] = [];
  let open: string[] | null = null;
  for (const { version, composer } of candidates) {
    if (!matches(composer, constraint)) {
      open = null;
    } else if (open) {
      open[1] = version;
    } else {
      open = [version];
      found.push(open);
    }
  }
  return found;
}
