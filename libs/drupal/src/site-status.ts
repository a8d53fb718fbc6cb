import { coreCandidatesOf, projectCoreCompatibility, type CoreCompatibility } from './core-compatibility.js';
import { groupExtensions, type Extension, type InstalledProject } from './extensions.js';
import type { PreparedHistory } from './prepared-history.js';
import { projectStatus, type ProjectStatus, type StatusOptions } from './project-status.js';
import type { ReleaseHistoryDocument } from './release-history.js';
import { requirementOf, type Requirement } from './report.js';
import { compareStatus } from './status.js';

/** What is known of one project's release history. */
export interface FetchedHistory {
  fetch: 'ok' | 'failed' | 'absent';
  /** null: the body could not be read. */
  history: ReleaseHistoryDocument | PreparedHistory | null;
}

/** One project of a site with all Drupal says about it. */
export interface SiteProject
  extends ProjectStatus, Pick<InstalledProject, 'project' | 'type' | 'includes' | 'disabled'> {
  /** Version → on which cores it runs; null: not worked out. Never for core. */
  coreCompatibility: Map<string, CoreCompatibility> | null;
}

/** A whole site as Drupal's status report and its page of updates show it. */
export interface SiteStatus {
  projects: SiteProject[];
  /** The two lines of the status report; null: the site has no such project. */
  requirements: { core: Requirement | null; contrib: Requirement | null };
}

export interface SiteOptions extends Omit<StatusOptions, 'fetch'> {
  coreVersion?: string;
  checkDisabledExtensions?: boolean;
}

/**
 * Everything Drupal would say about a site.
 * @param histories by project; a project that is missing counts as never asked for.
 */
export function siteStatus(
  extensions: readonly Extension[],
  histories: ReadonlyMap<string, FetchedHistory>,
  options: SiteOptions = {},
): SiteStatus {
  const grouped = groupExtensions(extensions, options);
  const core = grouped.find((project) => project.project === 'drupal');
  const candidates = coreCandidatesOf(
    histories.get('drupal')?.history ?? null,
    core?.version ?? options.coreVersion ?? '',
  );
  const projects = grouped.map((installed): SiteProject => {
    const { fetch, history } = histories.get(installed.project) ?? { fetch: 'absent' as const, history: null };
    const status = projectStatus(installed, history, { ...options, fetch });
    const { project, type, includes, disabled } = installed;
    const coreCompatibility = project === 'drupal' ? null : projectCoreCompatibility(status, history, candidates);
    return { ...status, project, type, includes, disabled, coreCompatibility };
  });
  return { projects, requirements: requirementsOf(projects) };
}

function requirementsOf(projects: readonly SiteProject[]): SiteStatus['requirements'] {
  const core = projects.find((project) => project.project === 'drupal');
  const [worst] = projects
    .filter((project) => project.project !== 'drupal')
    .sort((a, b) => compareStatus(a.status, b.status));
  return {
    core: core?.requirement ?? null,
    contrib: worst ? requirementOf(worst.status, null) : null,
  };
}
