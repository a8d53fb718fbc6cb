import { describe, expect, it } from '@jest/globals';
import { prepareHistory } from '#libs/drupal';
import { releases, type ReleaseFact } from '../../test/facts.js';
import {
  judgeByAdvisories,
  judgeByMark,
  judgeStatus,
  MARK,
  statusDatestamp,
  type InstalledVersion,
  type KnownHistory,
} from './version-judgement.js';

const installed = (version: string | null, versionId = 1): InstalledVersion => ({ versionId, version, datestamp: 0 });
const known = (...list: ReleaseFact[]): KnownHistory => ({
  module: 'token',
  arrived: true,
  history: prepareHistory(releases('token', '8.x-1.,2.0.', list).history!),
  knownAt: new Date('2026-06-01T00:00:00Z'),
});
const FEED = known(
  { version: '2.0.1', date: '2026-05-21', terms: ['Security update'] },
  { version: '2.0.0', date: '2026-02-01', terms: ['Insecure'] },
  { version: '8.x-1.7', date: '2026-05-20', terms: ['Security update'] },
  { version: '8.x-1.6', date: '2026-03-01', terms: ['Security update', 'Insecure'] },
  { version: '8.x-1.5', date: '2025-01-01', terms: ['Insecure'] },
);
const NOBODY = new Set<number>();
const NEVER = new Map<number, Date>();

describe(judgeStatus.name, () => {
  it('says what Drupal says, with the date of the recommended release', () => {
    expect(judgeStatus(installed('8.x-1.5'), FEED)).toMatchObject({
      status: 'not_secure',
      standing: 'security',
      recommended: '8.x-1.7',
      availableSince: new Date('2026-05-20T00:00:00Z'),
      releasedAt: new Date('2025-01-01T00:00:00Z'),
      mark: 'insecure',
    });
    expect(judgeStatus(installed('2.0.1'), FEED)).toMatchObject({
      ...{ status: 'current', standing: 'current', mark: 'not_insecure' },
    });
    expect(judgeStatus(installed('2.0.9'), FEED)).toMatchObject({ mark: 'not_listed' });
  });

  it('knows nothing before the history has arrived, nor of a project that upstream does not know', () => {
    for (const arrived of [true, false]) {
      const nothing = { module: 'custom', arrived, history: null, knownAt: null };
      expect(judgeStatus(installed('1.0.0'), nothing)).toMatchObject({
        status: 'unknown',
        standing: 'unknown',
        mark: null,
      });
    }
  });
});

describe(judgeByAdvisories.name, () => {
  const range = {
    advisoryId: 5,
    state: 'published',
    publishedAt: new Date('2026-05-20T00:00:00Z'),
    affected: '<1.7',
    affectedD7: null,
    unsupported: false,
  };

  it('calls a version in the range affected from the publication on, a dev version unknown, and leaves out the rest', () => {
    const verdicts = judgeByAdvisories(
      [installed('8.x-1.5', 1), installed('8.x-1.x-dev', 2), installed('8.x-1.7', 3)],
      [range],
    );
    expect(verdicts).toEqual([
      { versionId: 1, causeId: 5, verdict: 'affected', unsafeFrom: range.publishedAt, fixedIn: null },
      { versionId: 2, causeId: 5, verdict: 'unknown', unsafeFrom: null, fixedIn: null },
    ]);
  });

  it('says nothing for a retracted advisory', () => {
    expect(judgeByAdvisories([installed('8.x-1.5')], [{ ...range, state: 'retracted' }])).toEqual([]);
  });
});

describe(judgeByMark.name, () => {
  it('counts a marked release as unsafe from the next security release of its major on', () => {
    const verdicts = judgeByMark(
      [installed('8.x-1.5', 1), installed('8.x-1.6', 2), installed('2.0.0', 3)],
      FEED,
      NOBODY,
      NEVER,
    );
    expect(
      verdicts.map(({ versionId, unsafeFrom, fixedIn }) => [
        versionId,
        unsafeFrom!.toISOString().slice(0, 10),
        fixedIn,
      ]),
    ).toEqual([
      [1, '2026-03-01', ['8.x-1.6']],
      [2, '2026-05-20', ['8.x-1.7']],
      [3, '2026-05-21', ['2.0.1']],
    ]);
  });

  it('says nothing where an advisory says why', () => {
    expect(judgeByMark([installed('8.x-1.5')], FEED, new Set([1]), NEVER)).toEqual([]);
  });

  it('counts from when the mark was first seen when no release fixes it', () => {
    const feed = known({ version: '8.x-1.5', date: '2025-01-01', terms: ['Insecure'] });
    expect(judgeByMark([installed('8.x-1.5')], feed, NOBODY, NEVER)).toMatchObject([
      { unsafeFrom: feed.knownAt, fixedIn: [] },
    ]);
    const before = new Date('2026-04-01T00:00:00Z');
    expect(judgeByMark([installed('8.x-1.5')], feed, NOBODY, new Map([[1, before]]))).toMatchObject([
      { unsafeFrom: before },
    ]);
  });

  it('cannot judge a version that is in no feed', () => {
    expect(judgeByMark([installed('8.x-1.x-dev'), installed(null, 2)], FEED, NOBODY, NEVER)).toMatchObject([
      { versionId: 1, causeId: MARK, verdict: 'unknown' },
      { versionId: 2, causeId: MARK, verdict: 'unknown' },
    ]);
  });

  it('cannot judge a snapshot that a feed lists: nobody marks snapshots', () => {
    const feed = known(
      { version: '8.x-1.5', date: '2025-01-01', terms: ['Insecure'] },
      { version: '8.x-1.x-dev', date: '2026-01-01' },
    );
    expect(judgeByMark([installed('8.x-1.x-dev')], feed, NOBODY, NEVER)).toMatchObject([{ verdict: 'unknown' }]);
  });

  it('says nothing at all of a module without any mark', () => {
    expect(judgeByMark([installed(null)], known({ version: '8.x-1.5', date: '2025-01-01' }), NOBODY, NEVER)).toEqual(
      [],
    );
  });
});

describe(statusDatestamp.name, () => {
  it('keeps the time of packaging for dev snapshots only', () => {
    expect(statusDatestamp('8.x-1.x-dev', 1_700_000_000)).toBe(1_700_000_000);
    expect(statusDatestamp('8.x-1.x-dev', null)).toBe(0);
    expect(statusDatestamp('8.x-1.5', 1_700_000_000)).toBe(0);
    expect(statusDatestamp(null, 1_700_000_000)).toBe(0);
  });
});
