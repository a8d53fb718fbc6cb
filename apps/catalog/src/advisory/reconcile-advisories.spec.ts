import { describe, expect, it } from '@jest/globals';
import type { AdvisoryFacts } from './advisory-facts.js';
import type { AdvisorySource, Reading } from './combine-readings.js';
import { reconcileAdvisories, type KnownAdvisory, type SourceWalk } from './reconcile-advisories.js';

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

const NOW = new Date('2026-02-01T00:00:00Z');
const BEFORE = new Date('2026-01-25T00:00:00Z');

type Rest = Partial<Omit<KnownAdvisory, 'readings'>> & { feed?: Partial<Reading> | null; archive?: Partial<Reading> };
/** Known from the feed unless said otherwise. */
const known = (...advisories: [AdvisoryFacts, Rest?][]) =>
  new Map(
    advisories.map(([fact, { feed = {}, archive, ...rest } = {}]): [string, KnownAdvisory] => [
      fact.advisory,
      {
        facts: fact,
        revision: 1,
        state: 'published',
        readings: {
          feed: feed && { facts: fact, readAt: BEFORE, missingSince: null, ...feed },
          archive: archive ? { facts: fact, readAt: BEFORE, missingSince: null, ...archive } : null,
        },
        ...rest,
      },
    ]),
  );
const walkOf = (
  seen: AdvisoryFacts[],
  rest: { source?: AdvisorySource; trustworthy?: boolean; unreadable?: string[]; floor?: number; readAt?: Date } = {},
): SourceWalk => ({
  source: rest.source ?? 'feed',
  seen,
  unreadable: new Set(rest.unreadable ?? []),
  trustworthy: rest.trustworthy ?? true,
  readAt: rest.readAt ?? NOW,
  floor: rest.floor ?? Math.min(...seen.map(({ published_at }) => Date.parse(published_at))),
});
const whole = (...seen: AdvisoryFacts[]) => walkOf(seen, { source: 'archive', floor: -Infinity });
const ago = (ms: number) => new Date(NOW.getTime() - ms);
const MINUTE = 60_000;
const DAY = 86_400_000;

describe('what the feed says of what is known', () => {
  it('new, changed and returned advisories are news; the same again is none', () => {
    const changed = { ...B, affected: '<2.0.0' };
    const seen = [A, changed, C];
    const before = known([A], [B], [C, { state: 'retracted', revision: 4, feed: { missingSince: ago(DAY) } }]);
    const result = reconcileAdvisories(walkOf(seen), before, false, NOW);
    expect(result.published).toEqual([
      { facts: changed, revision: 2 },
      { facts: C, revision: 5 },
    ]);
    expect(result.read).toEqual([changed, C]);
    expect(reconcileAdvisories(walkOf([A]), known(), false, NOW).published).toEqual([{ facts: A, revision: 1 }]);
  });

  it('a hole is a retraction only when it is seen twice', () => {
    const holed = (missingSince: Date | null) =>
      reconcileAdvisories(walkOf([A, C]), known([A], [B, { feed: { missingSince } }], [C]), false, NOW);
    expect([holed(null).missing, holed(null).retracted]).toEqual([[B.advisory], []]);
    expect(holed(ago(MINUTE / 2)).retracted).toEqual([]);
    expect(holed(ago(MINUTE)).retracted).toEqual([{ facts: B, revision: 2 }]);
  });

  it('what is older than the feed reaches is not gone', () => {
    const before = known([A, { feed: { missingSince: ago(30 * DAY) } }], [B], [C]);
    const result = reconcileAdvisories(walkOf([B, C]), before, false, NOW);
    expect([result.missing, result.retracted]).toEqual([[], []]);
  });

  it('the newest missing are rather a stale copy: believed after a day', () => {
    const without = (missingFor: number) =>
      reconcileAdvisories(
        walkOf([A, B]),
        known([A], [B], [C, { feed: { missingSince: ago(missingFor) } }]),
        false,
        NOW,
      );
    expect(without(DAY / 2).retracted).toEqual([]);
    expect(without(DAY).retracted).toEqual([{ facts: C, revision: 2 }]);
  });

  it('with entries that cannot be read retracts nothing it might hold', () => {
    const before = known([A], [B, { feed: { missingSince: ago(DAY) } }], [C]);
    expect(reconcileAdvisories(walkOf([A, C], { trustworthy: false }), before, false, NOW).retracted).toEqual([]);
    expect(reconcileAdvisories(walkOf([A, C], { unreadable: [B.advisory] }), before, false, NOW).retracted).toEqual([]);
  });

  it('one that is back where it should be is no longer missing', () => {
    const before = known([A], [B, { feed: { missingSince: ago(MINUTE) } }]);
    const result = reconcileAdvisories(walkOf([A, B]), before, false, NOW);
    expect([result.read, result.published]).toEqual([[B], []]);
  });
});

describe('what the archive says of what is known', () => {
  it('retracts what a whole reading lacks twice, and what the feed lacks, too, within a minute', () => {
    const old = (missingFor: number) =>
      reconcileAdvisories(whole(B, C), known([A, { archive: { missingSince: ago(missingFor) } }], [B], [C]), true, NOW);
    expect(old(MINUTE / 2).retracted).toEqual([]);
    expect(old(MINUTE).retracted).toEqual([{ facts: A, revision: 2 }]);

    const today = facts('SA-CONTRIB-2026-009', '2026-01-31T20:00:00.000Z');
    const fresh = (missingFor: number, feed: Partial<Reading>) =>
      reconcileAdvisories(
        whole(A),
        known([A, { archive: {} }], [today, { feed, archive: { missingSince: ago(missingFor) } }]),
        true,
        NOW,
      ).retracted.length;
    expect([fresh(MINUTE, {}), fresh(60 * MINUTE, {}), fresh(MINUTE, { missingSince: ago(MINUTE) })]).toEqual([
      0, 1, 1,
    ]);
  });

  it('says nothing of what a reading of the latest changes did not reach', () => {
    const partial = walkOf([C], { source: 'archive', floor: Infinity });
    const before = known([A, { archive: { missingSince: ago(DAY) } }], [B, { archive: {} }], [C, { archive: {} }]);
    const result = reconcileAdvisories(partial, before, true, NOW);
    expect([result.missing, result.retracted]).toEqual([[], []]);
  });

  it('outweighs a hole in the feed once it is known', () => {
    const before = known([A], [B, { feed: { missingSince: ago(DAY) }, archive: {} }], [C]);
    expect(reconcileAdvisories(walkOf([A, C]), before, true, NOW).retracted).toEqual([]);
  });
});

describe('two sources that differ', () => {
  const fromArchive = { ...B, affected: '<2.0.0' };

  it('do not answer each other: each acts only when what it says has changed', () => {
    const before = new Map(known([B, { archive: { facts: fromArchive } }]));
    before.set(B.advisory, { ...before.get(B.advisory)!, facts: fromArchive, revision: 2 });
    expect(reconcileAdvisories(walkOf([B]), before, true, NOW).published).toEqual([]);
    expect(reconcileAdvisories(whole(fromArchive), before, true, NOW).published).toEqual([]);
    const revised = { ...B, affected: '<3.0.0' };
    expect(reconcileAdvisories(walkOf([revised]), before, true, NOW).published).toEqual([
      { facts: revised, revision: 3 },
    ]);
  });

  it('count as one: the archive’s first word corrects the feed, the feed’s first word not the archive', () => {
    expect(reconcileAdvisories(whole(fromArchive), known([B]), true, NOW).published).toEqual([
      { facts: fromArchive, revision: 2 },
    ]);
    const archiveAlone = known([fromArchive, { feed: null, archive: {} }]);
    const result = reconcileAdvisories(walkOf([B]), archiveAlone, true, NOW);
    expect([result.published, result.read]).toEqual([[], [B]]);
  });

  it('overtake each other: what was on its way when the other told news says nothing', () => {
    const late = walkOf([fromArchive], { source: 'archive', floor: -Infinity, readAt: ago(2 * MINUTE) });
    const before = known([B, { feed: { readAt: ago(MINUTE) } }]);
    expect(reconcileAdvisories(late, before, true, NOW)).toMatchObject({ published: [], read: [] });
  });

  it('agree on the risk that the feed states, as long as both have the same vector', () => {
    const vector = 'AC:Basic/A:None/CI:Some/II:Some/E:Theoretical/TD:Default';
    const stated = { ...B, risk: 'critical' as const, risk_score: 16, risk_vector: vector };
    const workedOut = { ...B, risk: 'critical' as const, risk_score: 15, risk_vector: vector };
    expect(reconcileAdvisories(whole(workedOut), known([stated]), true, NOW).published).toEqual([]);
    const revised = { ...workedOut, risk_score: 18, risk_vector: vector.replace('Theoretical', 'Exploit') };
    expect(
      reconcileAdvisories(whole(revised), known([stated, { archive: { facts: workedOut } }]), true, NOW),
    ).toMatchObject({ published: [{ facts: revised, revision: 2 }] });
  });
});
