import type { Findings } from './findings.js';
import { severityOf, type Severity, type UpdateStatus } from './status.js';
import type { InstallType } from './version.js';

/** One line below a project on the page of available updates. */
export type ReportRow = [kind: 'recommended' | 'security' | 'latest' | 'dev' | 'also', version: string];

/** A line of the status report. `versionAvailable` is named for core only. */
export interface Requirement {
  severity: Severity;
  status: UpdateStatus;
  versionAvailable: string | null;
}

/** The row of the page "Available updates": what Drupal would list below the project, in its order. */
export function reportOf(
  status: UpdateStatus,
  existingVersion: string,
  installType: InstallType,
  findings: Pick<Findings, 'recommended' | 'latestVersion' | 'devVersion' | 'also' | 'securityUpdates' | 'releases'>,
): { icon: Severity; rows: ReportRow[] } {
  const { recommended, latestVersion, devVersion, securityUpdates, releases } = findings;
  const rows: ReportRow[] = [];
  const shown = (version: string): string => releases.get(version) ?? version;
  if (recommended !== null) {
    if (status !== 'CURRENT' || existingVersion !== recommended) {
      const isTheFix = securityUpdates.length === 1 && securityUpdates[0] === recommended;
      if (!isTheFix) rows.push(['recommended', shown(recommended)]);
      for (const version of securityUpdates) rows.push(['security', version]);
    }
    if (latestVersion !== null && recommended !== latestVersion) rows.push(['latest', shown(latestVersion)]);
    if (installType === 'dev' && status !== 'CURRENT' && devVersion !== null && recommended !== devVersion) {
      rows.push(['dev', shown(devVersion)]);
    }
  }
  for (const version of findings.also.values()) rows.push(['also', shown(version)]);
  return { icon: severityOf(status), rows };
}

/** The line about core in the status report. */
export function requirementOf(status: UpdateStatus, recommended: string | null): Requirement {
  return {
    severity: severityOf(status),
    status,
    versionAvailable: status === 'CURRENT' ? null : recommended,
  };
}
