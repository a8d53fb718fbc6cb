/** Drupal's statuses of a project, in its own words. */
export type UpdateStatus =
  | 'NOT_SECURE'
  | 'REVOKED'
  | 'NOT_SUPPORTED'
  | 'NOT_CURRENT'
  | 'CURRENT'
  | 'NOT_CHECKED'
  | 'UNKNOWN'
  | 'NOT_FETCHED'
  | 'FETCH_PENDING';

/** Why there is no better answer. */
export type StatusReason =
  | 'empty-version'
  | 'invalid-version'
  | 'no-releases'
  | 'fetch-pending'
  | 'not-fetched'
  | 'unknown-release-date'
  | 'invalid-info';

/** What Drupal adds below the status. */
export type StatusExtra =
  | 'project-insecure'
  | 'project-revoked'
  | 'project-unsupported'
  | 'release-revoked'
  | 'release-unsupported'
  | 'release-unsupported-no-update';

export type Severity = 'ok' | 'warning' | 'error';

/** Drupal's numbers for the statuses: the worst is 1, what is not known is negative. */
export const STATUS_CODES: Readonly<Record<UpdateStatus, number>> = {
  NOT_SECURE: 1,
  REVOKED: 2,
  NOT_SUPPORTED: 3,
  NOT_CURRENT: 4,
  CURRENT: 5,
  NOT_CHECKED: -1,
  UNKNOWN: -2,
  NOT_FETCHED: -3,
  FETCH_PENDING: -4,
};

/** Orders statuses worst first; what is not known comes after what is current. A comparator for sort. */
export function compareStatus(a: UpdateStatus, b: UpdateStatus): number {
  return statusWeight(a) - statusWeight(b);
}

function statusWeight(status: UpdateStatus): number {
  const code = STATUS_CODES[status];
  return code < 0 ? -10 * code : code;
}

/** How the status report weighs a status. The page of updates paints NOT_CURRENT and the unknown ones alike. */
export function severityOf(status: UpdateStatus): Severity {
  if (status === 'CURRENT') return 'ok';
  return status === 'NOT_SECURE' || status === 'REVOKED' || status === 'NOT_SUPPORTED' ? 'error' : 'warning';
}
