import { isNumeric } from './loose-values.js';

/** A version string taken apart the way Drupal core does it. Majors compare as numbers, `extra` none is not empty. */
export interface ParsedVersion {
  major: string;
  /** null: the version has none (`8.x-1.17`). */
  minor: string | null;
  /** `rc1`, `dev`; null only when there is no hyphen in the last part. */
  extra: string | null;
}

export type InstallType = 'official' | 'dev' | 'unknown';

/**
 * Takes a Drupal version apart: `8.x-1.17`, `11.4.0-rc2`, `2.x-dev`.
 * @returns null for what Drupal calls invalid, such as `7.x-1.0`, `dev-main`, `1.2.3.4`.
 */
export function parseVersion(version: string): ParsedVersion | null {
  let rest = version;
  if (version.startsWith('8.x-') && version !== '8.x-dev') {
    rest = version.slice(4);
  } else {
    const prefix = version.indexOf('.x-');
    if ((prefix === 1 || prefix === 2) && version.split('.x-', 2)[1] !== 'dev') return null;
  }
  const parts = rest.split('.');
  if (parts.length !== 2 && parts.length !== 3) return null;
  const major = parts[0] as string;
  const minor = parts.length === 3 ? (parts[1] as string) : null;
  const last = (parts[parts.length - 1] as string).split('-');
  const extra = last.length > 1 ? (last[1] as string) : null;
  if (!isNumeric(major) || (minor !== null && !isNumeric(minor))) return null;
  if (extra !== 'dev' && !isNumeric(last[0] as string)) return null;
  return { major, minor, extra };
}

/** Takes a supported branch apart: `8.x-1.`, `11.4.`. null when it does not end in a dot or is no version prefix. */
export function parseBranch(branch: string): ParsedVersion | null {
  return branch.endsWith('.') ? parseVersion(`${branch}0`) : null;
}

const DISPLAYED_MAJOR = /^(?:\d+\.x-)?(\d+)\.[^\n]*\n?$/;

/** The major as Drupal's pages show it, `-1` where it is not recognised. For display only; decisions use parseVersion. */
export function existingMajor(version: string): string {
  return DISPLAYED_MAJOR.exec(version)?.[1] ?? '-1';
}

/** `dev` if `dev` or `HEAD` stands anywhere in the version (case counts), `unknown` without a version. */
export function installType(version: string | undefined): InstallType {
  if (version === undefined) return 'unknown';
  return version.includes('dev') || version.includes('HEAD') ? 'dev' : 'official';
}
