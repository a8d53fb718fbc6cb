import {
  fetchUrl,
  fetchUrlBase,
  groupExtensions,
  siteStatus,
  type Extension,
  type FetchedHistory,
  type InstalledProject,
  type SiteProject,
} from '#libs/drupal';
import type { ConformanceCase } from './case-files.js';
import { coreCode, requestTime } from './recorded-defaults.js';
import { describeCompatibility, describeRequirement, describeStatus } from './describe-status.js';
import type { Documents } from './documents.js';

/** The key all cases of whole sites were computed with. */
const SITE_KEY = 'qUbaCjdUYNjIoRzjDGxAtY15XMDkEbDhNedt5MwiLro';
/** After so many failures a server is not asked again. */
const MAX_ATTEMPTS = 2;

interface RecordedExtension {
  name: string;
  type: string;
  path: string;
  status: number;
  info: Extension['info'];
}

/** The answer for a whole site: what it fetches, what it says about each project, the lines of its status report. */
export function siteAnswer(item: ConformanceCase, documents: Documents): unknown {
  const extensions = (item.extensions as RecordedExtension[]).map(({ status, ...extension }): Extension => ({
    ...extension,
    installed: Number(status) === 1,
  }));
  const checkDisabledExtensions = item.check_disabled as boolean;
  const fetched = fetchAll(
    groupExtensions(extensions, { checkDisabledExtensions }),
    (item.feeds ?? {}) as Record<string, string>,
    documents,
  );
  const site = siteStatus(extensions, fetched.histories, {
    checkDisabledExtensions,
    now: requestTime(item),
    coreCode: coreCode(item),
  });
  return {
    projects: Object.fromEntries(site.projects.map((project) => [project.project, describeProject(project)])),
    fetch_urls: fetched.urls,
    requirements: {
      update_core: describeRequirement(site.requirements.core),
      update_contrib: describeRequirement(site.requirements.contrib),
    },
  };
}

function fetchAll(projects: readonly InstalledProject[], feeds: Record<string, string>, documents: Documents) {
  const urls: string[] = [];
  const histories = new Map<string, FetchedHistory>();
  const failures = new Map<string, number>();
  for (const project of projects) {
    const base = fetchUrlBase(project);
    let answer: FetchedHistory = { fetch: 'failed', history: null };
    if ((failures.get(base) ?? 0) < MAX_ATTEMPTS) {
      urls.push(fetchUrl(project, { siteKey: SITE_KEY }));
      const feed = feeds[project.project];
      if (feed) answer = documents.read(feed);
    }
    if (answer.fetch === 'failed') failures.set(base, (failures.get(base) ?? 0) + 1);
    histories.set(project.project, answer);
  }
  return { urls, histories };
}

function describeProject(project: SiteProject): Record<string, unknown> {
  const named = (list: SiteProject['includes']) => Object.fromEntries(list.map(({ name, title }) => [name, title]));
  return {
    ...describeStatus(project),
    project_type: project.type,
    includes: named(project.includes),
    disabled: project.disabled.length > 0 ? named(project.disabled) : null,
    core_compatibility:
      project.coreCompatibility &&
      Object.fromEntries(
        [...project.coreCompatibility].map(([version, found]) => [version, describeCompatibility(found)]),
      ),
  };
}
