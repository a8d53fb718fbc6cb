import type { AdvisoryFacts } from './advisory-facts.js';
import { combineReadings, sameFacts, type AdvisorySource, type Reading, type Readings } from './combine-readings.js';

/** An advisory as the catalog has it. */
export interface KnownAdvisory {
  readonly facts: AdvisoryFacts;
  readonly revision: number;
  readonly state: 'published' | 'retracted';
  readonly readings: Readings;
}

/** What reading one source brought. */
export interface SourceWalk {
  readonly source: AdvisorySource;
  readonly seen: readonly AdvisoryFacts[];
  /** Ids that are there but could not be understood further. */
  readonly unreadable: ReadonlySet<string>;
  /** Every entry was understood at least by its id: what is not among them is not there. */
  readonly trustworthy: boolean;
  /** Instant (milliseconds) above which everything published was seen. Infinity: nothing can be said of what was not. */
  readonly floor: number;
  /** When reading it began. */
  readonly readAt: Date;
}

type Told = readonly { readonly facts: AdvisoryFacts; readonly revision: number }[];

export interface Reconciliation {
  /** New, changed, or back again: to be told. */
  readonly published: Told;
  /** Gone for certain: to be told. */
  readonly retracted: Told;
  /** What the source says now, where that is new or the advisory was missing there. */
  readonly read: readonly AdvisoryFacts[];
  /** Not where they should be in the source, for the first time. */
  readonly missing: readonly string[];
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** What one look does not show may be between two pages, or in a cache that lags; what looks at this distance both do not show is gone. */
const CONFIRM_AFTER_MS = MINUTE;
/** The newest of all, when missing, are rather a stale copy than a retraction. */
const STALE_FEED_MS = 24 * HOUR;
const STALE_ARCHIVE_MS = HOUR;

/**
 * Holds what a source says against what is known. A source acts only when what it says has changed, so that two that differ for a while do not
 * answer each other with revision after revision. Retraction is the one thing that neither says: an advisory is retracted when it is missing
 * twice where it should be; by the archive's word when the archive has ever been read whole, since the feed holds the latest only.
 * @param archiveKnown the archive has been read to its end at least once
 */
export function reconcileAdvisories(
  walk: SourceWalk,
  known: ReadonlyMap<string, KnownAdvisory>,
  archiveKnown: boolean,
  now: Date,
): Reconciliation {
  const published: { facts: AdvisoryFacts; revision: number }[] = [];
  const read: AdvisoryFacts[] = [];
  for (const facts of walk.seen) {
    const before = known.get(facts.advisory);
    // The other source has told news while this one was on its way: what it says may be older. It will be read again.
    const other = before?.readings[walk.source === 'feed' ? 'archive' : 'feed'];
    if (other && other.readAt > walk.readAt) continue;
    const reading = before?.readings[walk.source] ?? null;
    const changed = !reading || !sameFacts(reading.facts, facts);
    if (changed || reading.missingSince) read.push(facts);
    const news = newsOf(walk.source, facts, before, changed);
    if (news) published.push({ facts: news, revision: (before?.revision ?? 0) + 1 });
  }

  const there = new Set([...walk.seen.map(({ advisory }) => advisory), ...walk.unreadable]);
  const newest = Math.max(...walk.seen.map(({ published_at }) => Date.parse(published_at)));
  const missing: string[] = [];
  const retracted: { facts: AdvisoryFacts; revision: number }[] = [];
  for (const advisory of walk.trustworthy ? known.values() : []) {
    const { facts, revision, state, readings } = advisory;
    const reading = readings[walk.source];
    const shouldBeThere = reading !== null && Date.parse(reading.facts.published_at) > walk.floor;
    if (state === 'retracted' || there.has(facts.advisory) || !shouldBeThere) continue;
    if (!reading.missingSince) missing.push(facts.advisory);
    else if (isGone(walk.source, advisory, archiveKnown, newest, now))
      retracted.push({ facts, revision: revision + 1 });
  }
  return { published, retracted, read, missing };
}

/** What is to be told after `source` said `facts`; null: nothing new. */
function newsOf(
  source: AdvisorySource,
  facts: AdvisoryFacts,
  before: KnownAdvisory | undefined,
  changed: boolean,
): AdvisoryFacts | null {
  if (!before) return facts;
  const { readings, state } = before;
  const reading = readings[source];
  const combined = combineReadings(source, {
    feed: source === 'feed' ? facts : (readings.feed?.facts ?? null),
    archive: source === 'archive' ? facts : (readings.archive?.facts ?? null),
  });
  if (state === 'retracted') return changed || reading?.missingSince ? combined : null;
  // The feed's first word on what the archive has told: the archive's stands until one of them changes.
  if (!changed || (source === 'feed' && !reading && readings.archive)) return null;
  return sameFacts(before.facts, combined) ? null : combined;
}

/** Whether what is missing from `source` again is gone for certain. */
function isGone(
  source: AdvisorySource,
  { readings }: KnownAdvisory,
  archiveKnown: boolean,
  newest: number,
  now: Date,
): boolean {
  const missingFor = ({ missingSince }: Reading) => (missingSince ? now.getTime() - missingSince.getTime() : -1);
  const reading = readings[source]!;
  const at = Date.parse(reading.facts.published_at);
  if (source === 'archive') {
    const feedMisses = readings.feed !== null && missingFor(readings.feed) >= 0;
    const fresh = now.getTime() - at < 24 * HOUR;
    return missingFor(reading) >= (fresh && !feedMisses ? STALE_ARCHIVE_MS : CONFIRM_AFTER_MS);
  }
  // The archive, once known, decides on everything that it has ever shown.
  if (archiveKnown && readings.archive !== null) return false;
  return missingFor(reading) >= (at > newest ? STALE_FEED_MS : CONFIRM_AFTER_MS);
}
