import { describe, expect, it } from '@jest/globals';
import type { AdvisoryFacts } from './advisory-facts.js';
import { reconcileAdvisories, type KnownAdvisory } from './reconcile-advisories.js';

const facts = (advisory: string, published_at: string, rest: Partial<AdvisoryFacts> = {}): AdvisoryFacts => ({
  advisory,
  module: 'thing',
  title: advisory,
  url: 'https://www.drupal.org/',
  published_at,
  risk: null,
  risk_score: null,
  risk_vector: null,
  vulnerability: null,
  cves: [],
  affected: '<1.0.0',
  affected_d7: null,
  fixed: [],
  unsupported: false,
  ...rest,
});
const A = facts('SA-CONTRIB-2026-001', '2026-01-07T17:00:00.000Z');
const B = facts('SA-CONTRIB-2026-002', '2026-01-14T17:00:00.000Z');
const C = facts('SA-CONTRIB-2026-003', '2026-01-21T17:00:00.000Z');
const known = (...advisories: [AdvisoryFacts, Partial<KnownAdvisory>?][]) =>
  new Map(
    advisories.map(([fact, rest]): [string, KnownAdvisory] => [
      fact.advisory,
      { facts: fact, revision: 1, state: 'published', missingSince: null, ...rest },
    ]),
  );
const walkOf = (seen: AdvisoryFacts[], rest: { trustworthy?: boolean; unreadable?: string[] } = {}) => ({
  unreadable: new Set(rest.unreadable ?? []),
  trustworthy: rest.trustworthy ?? true,
  floor: Math.min(...seen.map(({ published_at }) => Date.parse(published_at))),
});
const NOW = new Date('2026-02-01T00:00:00Z');
const ago = (ms: number) => new Date(NOW.getTime() - ms);
const MINUTE = 60_000;
const DAY = 86_400_000;

describe('what a walk over the feed says of what is known', () => {
  it('new, changed and returned advisories are news; the same again is none', () => {
    const changed = { ...B, affected: '<2.0.0' };
    const seen = [A, changed, C];
    const result = reconcileAdvisories(
      seen,
      known([A], [B], [C, { state: 'retracted', revision: 4 }]),
      walkOf(seen),
      NOW,
    );
    expect(result.published).toEqual([
      { facts: changed, revision: 2 },
      { facts: C, revision: 5 },
    ]);
    expect(reconcileAdvisories([A], known(), walkOf([A]), NOW).published).toEqual([{ facts: A, revision: 1 }]);
  });

  it('a hole is a retraction only when it is seen twice', () => {
    const seen = [A, C];
    const first = reconcileAdvisories(seen, known([A], [B], [C]), walkOf(seen), NOW);
    expect([first.missing, first.retracted]).toEqual([[B.advisory], []]);
    const soon = reconcileAdvisories(seen, known([A], [B, { missingSince: ago(MINUTE / 2) }], [C]), walkOf(seen), NOW);
    expect(soon.retracted).toEqual([]);
    const again = reconcileAdvisories(seen, known([A], [B, { missingSince: ago(MINUTE) }], [C]), walkOf(seen), NOW);
    expect(again.retracted).toEqual([{ facts: B, revision: 2 }]);
  });

  it('what is older than the feed reaches is not gone', () => {
    const result = reconcileAdvisories(
      [B, C],
      known([A, { missingSince: ago(30 * DAY) }], [B], [C]),
      walkOf([B, C]),
      NOW,
    );
    expect([result.missing, result.retracted]).toEqual([[], []]);
  });

  it('the newest missing are rather a stale copy: believed after a day', () => {
    const seen = [A, B];
    const stale = reconcileAdvisories(seen, known([A], [B], [C, { missingSince: ago(DAY / 2) }]), walkOf(seen), NOW);
    expect(stale.retracted).toEqual([]);
    const gone = reconcileAdvisories(seen, known([A], [B], [C, { missingSince: ago(DAY) }]), walkOf(seen), NOW);
    expect(gone.retracted).toEqual([{ facts: C, revision: 2 }]);
  });

  it('a feed with entries that cannot be read retracts nothing it might hold', () => {
    const seen = [A, C];
    const before = known([A], [B, { missingSince: ago(DAY) }], [C]);
    expect(reconcileAdvisories(seen, before, walkOf(seen, { trustworthy: false }), NOW).retracted).toEqual([]);
    expect(reconcileAdvisories(seen, before, walkOf(seen, { unreadable: [B.advisory] }), NOW).retracted).toEqual([]);
  });

  it('one that is back where it should be is no longer missing', () => {
    const result = reconcileAdvisories([A, B], known([A], [B, { missingSince: ago(MINUTE) }]), walkOf([A, B]), NOW);
    expect([result.found, result.published]).toEqual([[B.advisory], []]);
  });
});
