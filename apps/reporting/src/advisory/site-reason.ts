import type { AdvisoryReason } from '#libs/contracts';

/** What a sentence about one site needs. */
export interface SiteBeforeAdvisory {
  readonly reason: AdvisoryReason;
  /** The installed version; null: none is installed or named. */
  readonly version: string | null;
  /** The advisory's ranges, for Drupal 8 and newer and for Drupal 7. */
  readonly affected: string | null;
  readonly affectedD7: string | null;
  readonly fixed: readonly string[];
  /** The module as people call it. */
  readonly module: string;
  readonly marked: boolean;
  readonly differ: boolean;
}

/** The reason of a verdict as a sentence. */
export function reasonSentence(site: SiteBeforeAdvisory): string {
  const sentence = SENTENCES[site.reason](site);
  if (!site.differ) return sentence;
  return site.marked
    ? `${sentence} Drupal.org marks this release insecure, although no advisory covers it.`
    : `${sentence} Drupal.org does not mark this release insecure.`;
}

const SENTENCES: Readonly<Record<AdvisoryReason, (site: SiteBeforeAdvisory) => string>> = {
  version_affected: (site) => `${site.module} ${site.version ?? ''} is affected${rangeOf(site)}; ${remedyOf(site)}.`,
  patched: ({ module, version }) =>
    version === null
      ? `It was exposed and had been patched before ${module} was removed.`
      : `It was exposed and has been patched: it runs ${module} ${version}.`,
  removed: ({ module }) => `It was exposed until ${module} was removed.`,
  not_installed: ({ module }) => `${module} is not installed.`,
  version_not_affected: (site) => `${site.module} ${site.version ?? ''} is not affected${rangeOf(site)}.`,
  retracted: () => 'The advisory was retracted: it exposes nobody.',
  no_version: ({ module }) => `The site does not say which version of ${module} it runs.`,
  dev_version: ({ module, version }) =>
    `${module} ${version ?? ''} is a development snapshot: nobody can say whether it holds the fix.`,
  unreadable_version: ({ version }) =>
    `"${version ?? ''}" is no version that could be compared with the affected ones.`,
  not_listed: ({ module, version }) => `${module} ${version ?? ''} is not in Drupal.org's list of releases.`,
  no_range: () => 'The advisory does not say which versions are affected.',
  inventory_incomplete: ({ module }) =>
    `The last inventory was partial and does not name ${module}: that does not mean that it is not there.`,
  silent: () => 'The site has not been heard from for two days or longer: nobody knows what it runs now.',
  never_reported: () => 'The site has not told yet what it runs.',
};

function rangeOf({ version, affected, affectedD7 }: SiteBeforeAdvisory): string {
  const range = version?.startsWith('7.x-') ? affectedD7 : affected;
  return range === null ? '' : ` (the advisory names ${range})`;
}

function remedyOf({ fixed }: SiteBeforeAdvisory): string {
  return fixed.length === 0 ? 'there is no fix' : `fixed in ${fixed.join(', ')}`;
}
