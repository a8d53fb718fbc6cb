import type { AdvisoryFacts } from './advisory-facts.js';

/** An advisory as the catalog has it. */
export interface KnownAdvisory {
  readonly facts: AdvisoryFacts;
  readonly revision: number;
  readonly state: 'published' | 'retracted';
  readonly missingSince: Date | null;
}

export interface Reconciliation {
  /** New, changed, or back again: to be told. */
  readonly published: readonly { readonly facts: AdvisoryFacts; readonly revision: number }[];
  /** Gone for certain: to be told. */
  readonly retracted: readonly { readonly facts: AdvisoryFacts; readonly revision: number }[];
  /** Not where they should be, for the first time. */
  readonly missing: readonly string[];
  /** Were missing and are there. */
  readonly found: readonly string[];
}

/** What one walk does not show may be between two pages, or in a cache that lags; what walks at this distance both do not show is gone. */
const CONFIRM_AFTER_MS = 60_000;
/** The newest of all, when missing, are rather a stale copy of the feed than a retraction. */
const BELIEVE_STALE_AFTER_MS = 24 * 3_600_000;

/**
 * Holds what a walk saw against what is known. Retraction is the one thing the feed does not say: an advisory is retracted when it is
 * missing from the part that was read, twice. Never by a feed that cannot be trusted, and not at once when it is the newest that are missing.
 */
export function reconcileAdvisories(
  seen: readonly AdvisoryFacts[],
  known: ReadonlyMap<string, KnownAdvisory>,
  walk: { readonly unreadable: ReadonlySet<string>; readonly trustworthy: boolean; readonly floor: number },
  now: Date,
): Reconciliation {
  const published: { facts: AdvisoryFacts; revision: number }[] = [];
  const found: string[] = [];
  for (const facts of seen) {
    const before = known.get(facts.advisory);
    if (!before || before.state === 'retracted' || !sameFacts(before.facts, facts)) {
      published.push({ facts, revision: (before?.revision ?? 0) + 1 });
    }
    if (before?.missingSince) found.push(facts.advisory);
  }

  const retracted: { facts: AdvisoryFacts; revision: number }[] = [];
  const missing: string[] = [];
  if (walk.trustworthy) {
    const there = new Set([...seen.map(({ advisory }) => advisory), ...walk.unreadable]);
    const newest = Math.max(...seen.map(({ published_at }) => Date.parse(published_at)));
    for (const { facts, revision, state, missingSince } of known.values()) {
      const at = Date.parse(facts.published_at);
      // Never beyond the oldest entry seen: Drupal.org's feed holds the latest advisories only, and an older one is not gone.
      const shouldBeThere = at > walk.floor;
      if (state === 'retracted' || there.has(facts.advisory) || !shouldBeThere) continue;
      const patience = at > newest ? BELIEVE_STALE_AFTER_MS : CONFIRM_AFTER_MS;
      if (!missingSince) missing.push(facts.advisory);
      else if (now.getTime() - missingSince.getTime() >= patience) retracted.push({ facts, revision: revision + 1 });
    }
  }
  return { published, retracted, missing, found };
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
