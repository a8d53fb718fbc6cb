import { coreCoverage, type CoreCode, type CoreCoverage } from './coverage.js';
import { noFindings, type Findings, type Installed } from './findings.js';
import { isEmpty, looseNumber, scalarText } from './loose-values.js';
import { exactDate, inSupportedBranch, preparedOf, type PreparedHistory } from './prepared-history.js';
import { SNAPSHOT_LEEWAY_SECONDS, walkReleases } from './release-walk.js';
import type { ReleaseHistoryDocument } from './release-history.js';
import { requirementOf, reportOf, type ReportRow, type Requirement } from './report.js';
import type { Severity, StatusExtra, StatusReason, UpdateStatus } from './status.js';
import { existingMajor, installType, parseVersion, type InstallType } from './version.js';

/** What is installed of one project. */
export interface InstalledVersion {
  /** Machine name; `drupal` is core. */
  project: string;
  /** `core`, `module`, `theme`, with `-uninstalled` when nothing of it is installed. Does not change the status. */
  type?: string;
  /** As the info file says. Absent or null: it says none, which is not the same as empty. */
  version?: string | null;
  /** Unix seconds of the packaging; 0 or absent: not known. May arrive as a string. */
  datestamp?: number | string | null;
}

export interface StatusOptions {
  /** `ok` (default): the history is the server's answer. `failed`: it did not answer. `absent`: it was never asked. */
  fetch?: 'ok' | 'failed' | 'absent';
  /** Unix seconds, default: 1970. Decides coverage by date and, with infoFileCtime, staleness. Also the time of the fetch. */
  now?: number;
  /** Unix seconds; later than `now`: the stored data is stale. A server that refetches never needs it. */
  infoFileCtime?: number;
  /** Whose table of fixed coverage dates applies; default: the one of the installed minor. */
  coreCode?: CoreCode;
  /** The site's time zone, for coverage by date; default UTC. */
  timeZone?: string;
}

/** Everything Drupal's update status says about one project. Versions are as Drupal.org writes them; null: none. */
export interface ProjectStatus {
  status: UpdateStatus;
  reason: StatusReason | null;
  title: string | null;
  link: string | null;
  /** What is wrong with the project when that decided the status; otherwise whether anything of it is installed. */
  projectStatus: boolean | string;
  /** `Unknown` when the info file names no version. */
  existingVersion: string;
  existingMajor: string;
  installType: InstallType;
  recommended: string | null;
  latestVersion: string | null;
  devVersion: string | null;
  latestDev: string | null;
  /** Newer majors: `[major, version]` in the order found. */
  also: [string, string][];
  /** In feed order. They never change the status. */
  securityUpdates: string[];
  /** Releases recorded for display, in the order first recorded. */
  releases: string[];
  extra: StatusExtra[];
  report: { icon: Severity; rows: ReportRow[] };
  /** Core only; null: no release of core is known. */
  coverage: CoreCoverage | null;
  /** Core only: the line of the status report. */
  requirement: Requirement | null;
  datestamp: number | string;
}

/**
 * Says about an installed project exactly what Drupal core (10.3 – 11.4) would say with the same release history.
 * Pure and total: odd input gives Drupal's odd answer, or the nearest one where Drupal itself would crash.
 *
 * @param history the document, which is worked out once and must not be changed afterwards, or prepareHistory's result; null: the body could
 *   not be read, or the server knows no such project.
 */
export function projectStatus(
  installed: InstalledVersion,
  history: ReleaseHistoryDocument | PreparedHistory | null,
  options: StatusOptions = {},
): ProjectStatus {
  const fetch = options.fetch ?? 'ok';
  const prepared = fetch !== 'ok' || history === null ? null : preparedOf(history);
  const version = scalarText(installed.version);
  const existingVersion = version ?? 'Unknown';
  const datestamp = installed.datestamp ?? 0;
  const type = installType(version);
  const findings = noFindings(!installed.type?.endsWith('-uninstalled'));
  if (fetch === 'absent') {
    findings.status = 'UNKNOWN';
    findings.reason = 'no-releases';
  } else {
    const projectStatusText = fetch === 'failed' ? 'not-fetched' : (prepared?.projectStatus ?? null);
    const stale = (options.infoFileCtime ?? 0) > (options.now ?? 0);
    if (!judgedByProject(projectStatusText, findings))
      judgeVersion({ existingVersion, type, datestamp, stale }, prepared, findings);
  }
  const status = findings.status ?? 'UNKNOWN';
  const isCore = installed.project === 'drupal';
  return {
    status,
    reason: findings.reason,
    title: prepared?.title ?? null,
    link: prepared?.link ?? null,
    projectStatus: findings.projectStatus,
    existingVersion,
    existingMajor: version === undefined ? '-1' : existingMajor(version),
    installType: type,
    recommended: findings.recommended,
    latestVersion: findings.latestVersion,
    devVersion: findings.devVersion,
    latestDev: findings.latestDev,
    also: [...findings.also],
    securityUpdates: findings.securityUpdates,
    releases: [...findings.releases.keys()],
    extra: findings.extra,
    report: reportOf(status, existingVersion, type, findings),
    coverage: isCore ? coreCoverage(existingVersion, prepared, options) : null,
    requirement: isCore ? requirementOf(status, findings.recommended) : null,
    datestamp,
  };
}

/** The project as a whole may be bad; then nothing else is worked out. */
function judgedByProject(projectStatusText: string | null, findings: Findings): boolean {
  switch (projectStatusText) {
    case 'insecure':
      findings.status = 'NOT_SECURE';
      findings.extra.push('project-insecure');
      break;
    case 'unpublished':
    case 'revoked':
      findings.status = 'REVOKED';
      findings.extra.push('project-revoked');
      break;
    case 'unsupported':
      findings.status = 'NOT_SUPPORTED';
      findings.extra.push('project-unsupported');
      break;
    case 'not-fetched':
      findings.status = 'NOT_FETCHED';
      findings.reason = 'not-fetched';
      break;
    default:
      return false;
  }
  findings.projectStatus = projectStatusText;
  return true;
}

function judgeVersion(installed: Installed, history: PreparedHistory | null, findings: Findings): void {
  const { existingVersion } = installed;
  if (existingVersion === '') return conclude(findings, 'UNKNOWN', 'empty-version');
  const parsed = parseVersion(existingVersion);
  if (!parsed) return conclude(findings, 'UNKNOWN', 'invalid-version');

  let target = Number(parsed.major);
  const branches = history?.branches ?? null;
  if (branches !== null && !inSupportedBranch(existingVersion, branches)) {
    findings.status = 'NOT_SUPPORTED';
    // Never recommend a downgrade: the greater of the two.
    target = Math.max(target, history?.branchMajor ?? target);
  }
  if (installed.stale) return conclude(findings, 'FETCH_PENDING', 'fetch-pending');
  if (!history || history.releases.size === 0) return conclude(findings, 'UNKNOWN', 'no-releases');

  const lastSupported = walkReleases(installed, history, target, findings);
  if (findings.recommended === null && findings.latestVersion !== null && lastSupported) {
    findings.recommended = findings.latestVersion;
  }
  if (findings.status !== null) return;
  if (findings.recommended === null) return conclude(findings, 'UNKNOWN', 'no-releases');
  compareWithLatest(installed, history, findings);
}

function compareWithLatest(installed: Installed, history: PreparedHistory, findings: Findings): void {
  const { existingVersion, type } = installed;
  const { latestVersion, devVersion } = findings;
  if (type === 'official') {
    const current = existingVersion === findings.recommended || existingVersion === latestVersion;
    return conclude(findings, current ? 'CURRENT' : 'NOT_CURRENT', null);
  }
  const dateOf = (version: string | null) => (version === null ? null : exactDate(history.releases.get(version)));
  const devIsLatest = (dateOf(devVersion) ?? -Infinity) > (dateOf(latestVersion) ?? -Infinity);
  findings.latestDev = devIsLatest ? devVersion : latestVersion;
  if (isEmpty(installed.datestamp)) return conclude(findings, 'NOT_CHECKED', 'unknown-release-date');
  const latestDate = dateOf(findings.latestDev);
  const reached = looseNumber(installed.datestamp) + SNAPSHOT_LEEWAY_SECONDS;
  const current = latestDate === null ? reached !== 0 : reached > latestDate;
  conclude(findings, current ? 'CURRENT' : 'NOT_CURRENT', null);
}

function conclude(findings: Findings, status: UpdateStatus, reason: StatusReason | null): void {
  findings.status = status;
  findings.reason = reason;
}
