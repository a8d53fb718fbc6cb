import type { CoreCompatibility, CoreCoverage, ProjectStatus, Requirement } from '#libs/drupal';

/** A status in the words of the case files. */
export function describeStatus(status: ProjectStatus): Record<string, unknown> {
  return {
    status: status.status,
    reason: status.reason,
    title: status.title,
    link: status.link,
    project_status: status.projectStatus,
    datestamp: status.datestamp,
    existing_version: status.existingVersion,
    existing_major: status.existingMajor,
    install_type: status.installType,
    recommended: status.recommended,
    latest_version: status.latestVersion,
    dev_version: status.devVersion,
    latest_dev: status.latestDev,
    also: status.also,
    security_updates: status.securityUpdates,
    releases: status.releases,
    extra: status.extra,
    report: status.report,
    coverage: describeCoverage(status.coverage),
    requirement: describeRequirement(status.requirement),
  };
}

export function describeRequirement(requirement: Requirement | null): unknown {
  if (!requirement) return null;
  const { severity, status, versionAvailable } = requirement;
  return { severity, status, version_available: versionAvailable };
}

export function describeCompatibility(compatibility: CoreCompatibility): Record<string, unknown> {
  const { constraint, compatible, coreRanges } = compatibility;
  return { constraint, compatible, core_ranges: coreRanges };
}

function describeCoverage(coverage: CoreCoverage | null): unknown {
  if (!coverage) return null;
  const { info, entry } = coverage;
  if (!info) return { info: null, entry };
  if ('endDate' in info) {
    return {
      info: { security_coverage_end_date: info.endDate, security_coverage_ending_warn_date: info.warnDate },
      entry,
    };
  }
  return {
    info: { security_coverage_end_version: info.endVersion, additional_minors_coverage: info.additionalMinors },
    entry,
  };
}
