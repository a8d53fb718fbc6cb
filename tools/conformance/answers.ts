import {
  coreCandidates,
  coreCompatibility,
  existingMajor,
  fetchUrl,
  installType,
  parseBranch,
  parseVersion,
  projectStatus,
  type InstalledVersion,
  type ParsedVersion,
  type StatusOptions,
} from '#libs/drupal';
import type { ConformanceCase } from './case-files.js';
import type { Documents } from './documents.js';
import { describeStatus } from './describe-status.js';
import { coreCode, requestTime } from './recorded-defaults.js';
import { siteAnswer } from './site-answer.js';

/** The answer of this project to one case, in the words of the case files. */
export function answer(item: ConformanceCase, documents: Documents): unknown {
  if (item.kind === 'version') return versionAnswer(item.input as string);
  if (item.kind === 'fetch-url') return fetchUrlAnswer(item);
  if (item.kind === 'core-compat') return coreCompatibilityAnswer(item);
  if (item.extensions) return siteAnswer(item, documents);
  if (item.installed) return statusAnswer(item, documents);
  throw new Error('it is of no known form');
}

function statusAnswer(item: ConformanceCase, documents: Documents): unknown {
  const installed = item.installed as InstalledVersion;
  const asked = (item.fetch as StatusOptions['fetch']) ?? 'ok';
  const { fetch, history } =
    asked === 'ok' ? documents.read(`xml/${item.xml as string}`) : { fetch: asked, history: null };
  return describeStatus(
    projectStatus(installed, history, {
      fetch,
      now: requestTime(item),
      infoFileCtime: item.info_file_ctime as number | undefined,
      coreCode: coreCode(item),
    }),
  );
}

function versionAnswer(input: string): unknown {
  return {
    as_version: describeParsed(parseVersion(input)),
    as_branch: describeParsed(parseBranch(input)),
    existing_major: existingMajor(input),
    install_type: installType(input),
  };
}

function describeParsed(parsed: ParsedVersion | null): unknown {
  return parsed ? { valid: true, major: parsed.major, minor: parsed.minor, extra: parsed.extra } : { valid: false };
}

interface FetchUrlProject {
  name: string;
  project_type: string;
  info: Record<string, string | undefined>;
  includes: Record<string, string>;
}

function fetchUrlAnswer(item: ConformanceCase): unknown {
  const { name, project_type: type, info, includes } = item.project as FetchUrlProject;
  return {
    url: fetchUrl(
      {
        project: name,
        type,
        version: info.version,
        statusUrl: info['project status url'],
        includes: Object.entries(includes).map(([machine, title]) => ({ name: machine, title })),
      },
      { siteKey: item.site_key as string, fetchUrl: item.fetch_url as string | null },
    ),
  };
}

function coreCompatibilityAnswer(item: ConformanceCase): unknown {
  const cores = coreCandidates(
    item.core_releases as string[],
    item.core_supported_branches as string[],
    item.existing_core as string,
  );
  const found = coreCompatibility(item.constraint as string, cores);
  if (!found) return null;
  return { compatible: found.compatible, core_ranges: found.coreRanges };
}
