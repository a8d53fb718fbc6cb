import type { Findings, Installed } from './findings.js';
import { isEmpty, looseNumber } from './loose-values.js';
import type { PreparedHistory, WalkedRelease } from './prepared-history.js';

/** A snapshot may be packaged this many seconds before the release it is; Drupal's own leeway. */
export const SNAPSHOT_LEEWAY_SECONDS = 100;

/** Looks at the releases in feed order until the installed one. Returns whether the last one looked at was supported. */
export function walkReleases(
  installed: Installed,
  history: PreparedHistory,
  target: number,
  findings: Findings,
): boolean {
  let lastSupported = false;
  let base: string | null = null;
  let candidate: WalkedRelease | null = null;
  const datestamp = looseNumber(installed.datestamp);
  for (const release of history.walk) {
    lastSupported = release.supported;
    const isInstalled = release.key === installed.existingVersion;
    if (isInstalled) judgeInstalledRelease(release, findings);
    else if (!release.published || !release.supported || release.insecure) continue;
    else if (release.date === null && release.extra === 'dev') continue;

    if (release.majorNumber > target) {
      if (!findings.also.has(release.major)) {
        findings.also.set(release.major, release.key);
        findings.releases.set(release.key, release.version);
      }
      continue;
    }
    if (release.majorNumber === target) {
      if (findings.latestVersion === null) {
        findings.latestVersion = release.key;
        findings.releases.set(release.key, release.version);
      }
      if (findings.devVersion === null && release.extra === 'dev') {
        findings.devVersion = release.key;
        findings.releases.set(release.key, release.version);
      }
      if (findings.recommended === null && release.supported) {
        if (release.base !== base) {
          base = release.base;
          candidate = release;
        }
        if (release.extra === null && candidate) {
          findings.recommended = candidate.version;
          findings.releases.set(candidate.version, candidate.version);
        }
      }
    }
    if (isInstalled) break;
    if (installed.type === 'dev') {
      if (isEmpty(installed.datestamp)) continue;
      if (release.date && datestamp + SNAPSHOT_LEEWAY_SECONDS > release.date) continue;
    }
    if (release.securityUpdate) findings.securityUpdates.push(release.version);
  }
  return lastSupported;
}

function judgeInstalledRelease(release: WalkedRelease, findings: Findings): void {
  if (release.insecure) {
    findings.status = 'NOT_SECURE';
  } else if (!release.published) {
    findings.status = 'REVOKED';
    findings.extra.push('release-revoked');
  } else if (!release.supported) {
    findings.status = 'NOT_SUPPORTED';
    const nothingBetter = findings.recommended === null && findings.also.size === 0;
    findings.extra.push(nothingBetter ? 'release-unsupported-no-update' : 'release-unsupported');
  }
}
