import type { AdvisoryFacts } from './advisory-facts.js';

/** Where an advisory is read: the feed holds the latest and is quick, the archive (Drupal.org's API) holds all and is complete. */
export type AdvisorySource = 'feed' | 'archive';

/** What one source last said of an advisory. */
export interface Reading {
  readonly facts: AdvisoryFacts;
  /** When it began to be read. */
  readonly readAt: Date;
  /** Since when the source, which should hold it, does not; null: it does. */
  readonly missingSince: Date | null;
}

export type Readings = Readonly<Record<AdvisorySource, Reading | null>>;

/**
 * One set of facts of what both sources say. `lead` counts: it is the one that has something new to say. But level and score of the risk are
 * stated by the feed alone (the archive has the vector they are worked out from), so the feed's stand while both have the same vector.
 */
export function combineReadings(
  lead: AdvisorySource,
  { feed, archive }: Readonly<Record<AdvisorySource, AdvisoryFacts | null>>,
): AdvisoryFacts {
  const leading = (lead === 'feed' ? feed : archive) ?? feed ?? archive;
  if (!leading) throw new TypeError('an advisory that nobody has read');
  if (!feed || !archive || feed.risk_vector !== archive.risk_vector) return leading;
  return {
    ...leading,
    risk: feed.risk ?? archive.risk,
    risk_score: feed.risk_score ?? archive.risk_score,
  };
}

/** Whether two readings of an advisory say the same. */
export function sameFacts(a: AdvisoryFacts, b: AdvisoryFacts): boolean {
  return canonical(a) === canonical(b);
}

const canonical = (facts: AdvisoryFacts): string =>
  JSON.stringify(facts, [
    'advisory',
    'module',
    'title',
    'url',
    'published_at',
    'risk',
    'risk_score',
    'risk_vector',
    'vulnerability',
    'cves',
    'affected',
    'affected_d7',
    'fixed',
    'unsupported',
  ]);
