import type { UnknownReason } from '#libs/contracts';

/** What spoke of the version: Drupal.org's mark, or an advisory that names versions or does not. */
export type Speaker = 'mark' | 'advisory_with_range' | 'advisory_without_range';

/** Why a version cannot be judged. The page of an advisory says the same in SQL (`advisory-sites.repository.ts`); a test holds the two together. */
export function whyUnknown(version: string | null, speaker: Speaker): UnknownReason {
  if (speaker === 'advisory_without_range') return 'no_range';
  if (version === null || version.trim() === '') return 'no_version';
  if (/dev|HEAD/.test(version)) return 'dev_version';
  return speaker === 'mark' ? 'not_listed' : 'unreadable_version';
}
