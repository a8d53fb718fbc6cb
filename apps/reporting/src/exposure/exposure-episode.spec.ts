import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { exposureEpisodes, type InstalledInterval } from './exposure-episode.js';

const day = (number: number): Date => new Date(Date.UTC(2026, 0, number));

/** Intervals in a row: `[start day, verdict, version]`; the last one stands. Published on day 10 unless said otherwise. */
function history(
  steps: readonly [number, InstalledInterval['verdict'], string?][],
  published = 10,
): InstalledInterval[] {
  return steps.map(([from, verdict, version], index) => ({
    from: day(from),
    to: steps[index + 1] ? day(steps[index + 1]![0]) : null,
    verdict,
    version: verdict === 'absent' ? null : (version ?? verdict),
    unsafeFrom: verdict === 'affected' ? day(published) : null,
    previousObservedAt: index === 0 ? null : new Date(day(from).getTime() - 3_600_000),
  }));
}

describe(exposureEpisodes.name, () => {
  it('opens at the publication when the unsafe version was there before', () => {
    expect(exposureEpisodes(history([[1, 'affected', '1.0']]))).toEqual([
      {
        openedAt: day(10),
        publishedAt: day(10),
        version: '1.0',
        state: 'open',
        unknownSince: null,
        closedAt: null,
        closedAfter: null,
        reason: null,
        closedVersion: null,
      },
    ]);
  });

  it('opens at the installation when the publication was before', () => {
    const [episode] = exposureEpisodes(history([[12, 'affected']]));
    expect(episode).toMatchObject({ openedAt: day(12), publishedAt: day(10) });
  });

  it('closes as patched at the first inventory with a safe version, and says what was seen before', () => {
    const [episode, ...more] = exposureEpisodes(
      history([
        [1, 'affected', '1.0'],
        [12, 'unaffected', '1.1'],
      ]),
    );
    expect(more).toEqual([]);
    expect(episode).toMatchObject({
      state: 'closed',
      closedAt: day(12),
      closedAfter: new Date(day(12).getTime() - 3_600_000),
      reason: 'patched',
      closedVersion: '1.1',
    });
  });

  it('closes as removed when the module goes: removed is not patched', () => {
    const [episode] = exposureEpisodes(
      history([
        [1, 'affected'],
        [12, 'absent'],
      ]),
    );
    expect(episode).toMatchObject({ reason: 'removed', closedAt: day(12), closedVersion: null });
  });

  it('goes on over an update from one unsafe version to another', () => {
    const episodes = exposureEpisodes(
      history([
        [1, 'affected', '1.0'],
        [12, 'affected', '1.1'],
        [14, 'unaffected', '1.2'],
      ]),
    );
    expect(episodes).toMatchObject([{ openedAt: day(10), version: '1.0', closedAt: day(14) }]);
  });

  it('begins a new episode after a downgrade and after a new installation', () => {
    const episodes = exposureEpisodes(
      history([
        [1, 'affected'],
        [12, 'unaffected'],
        [14, 'affected'],
        [16, 'absent'],
        [18, 'affected'],
      ]),
    );
    expect(episodes.map(({ openedAt, reason }) => [openedAt, reason])).toEqual([
      [day(10), 'patched'],
      [day(14), 'removed'],
      [day(18), null],
    ]);
  });

  it('knows nothing of an unsafe version that was gone when the advisory appeared', () => {
    expect(
      exposureEpisodes(
        history([
          [1, 'affected'],
          [5, 'unaffected'],
        ]),
      ),
    ).toEqual([]);
    expect(
      exposureEpisodes(
        history([
          [1, 'affected'],
          [10, 'unaffected'],
        ]),
      ),
    ).toEqual([]);
  });

  it('becomes unknown with a version that nobody can judge, and neither patched nor open by it', () => {
    const [episode] = exposureEpisodes(
      history([
        [1, 'affected', '1.0'],
        [12, 'unknown', '1.x-dev'],
      ]),
    );
    expect(episode).toMatchObject({ state: 'unknown', unknownSince: day(12), closedAt: null, reason: null });
  });

  it('is open again, the same episode, when an unsafe version follows the unknown one', () => {
    const episodes = exposureEpisodes(
      history([
        [1, 'affected'],
        [12, 'unknown'],
        [14, 'affected'],
      ]),
    );
    expect(episodes).toMatchObject([{ openedAt: day(10), state: 'open', unknownSince: null }]);
  });

  it('closes at the safe version after unknown ones; the doubt begins where the unsafe version was last seen', () => {
    const [episode] = exposureEpisodes(
      history([
        [1, 'affected'],
        [12, 'unknown'],
        [14, 'unknown'],
        [16, 'unaffected'],
      ]),
    );
    expect(episode).toMatchObject({
      state: 'closed',
      unknownSince: day(12),
      closedAt: day(16),
      closedAfter: new Date(day(12).getTime() - 3_600_000),
    });
  });

  it('does not open by a version that nobody can judge', () => {
    expect(exposureEpisodes(history([[1, 'unknown']]))).toEqual([]);
    const [episode] = exposureEpisodes(
      history([
        [1, 'unknown'],
        [12, 'affected', '1.1'],
      ]),
    );
    expect(episode).toMatchObject({ openedAt: day(12), version: '1.1' });
  });

  it('opens only with the unsafe version seen after a publication that met an unknown one', () => {
    const [episode, ...more] = exposureEpisodes(
      history([
        [1, 'affected', '1.0'],
        [5, 'unknown', 'dev'],
        [15, 'affected', '1.1'],
      ]),
    );
    expect(more).toEqual([]);
    expect(episode).toMatchObject({ openedAt: day(15), version: '1.1' });
  });

  it('ends with the site, and knows nothing of what came after', () => {
    const steps: [number, InstalledInterval['verdict']][] = [
      [1, 'affected'],
      [20, 'unaffected'],
      [22, 'affected'],
    ];
    expect(exposureEpisodes(history(steps), day(15))).toMatchObject([
      { openedAt: day(10), closedAt: day(15), reason: 'site_removed' },
    ]);
    expect(exposureEpisodes(history(steps), day(10))).toEqual([]);
  });

  it('closes and opens anew when the next version became unsafe only after it was installed', () => {
    const [first, second] = [
      { ...history([[1, 'affected', '1.0']], 3)[0]!, to: day(12) },
      { ...history([[12, 'affected', '1.1']], 20)[0]!, previousObservedAt: day(11) },
    ];
    expect(exposureEpisodes([first, second])).toMatchObject([
      { openedAt: day(3), closedAt: day(12), reason: 'patched', closedVersion: '1.1' },
      { openedAt: day(20), version: '1.1', state: 'open' },
    ]);
  });

  it('takes an interval without extent for nothing', () => {
    const episodes = exposureEpisodes(
      history([
        [1, 'affected'],
        [12, 'unaffected'],
        [12, 'affected'],
      ]),
    );
    expect(episodes).toMatchObject([{ openedAt: day(10), state: 'open' }]);
  });

  it('never overlaps itself, never ends before it begins, and only its last episode can stand', () => {
    const verdict = fc.constantFrom('affected', 'unaffected', 'unknown', 'absent' as const);
    const steps = fc
      .array(fc.tuple(fc.integer({ min: 1, max: 28 }), verdict), { minLength: 1, maxLength: 12 })
      .map((list) => [...list].sort(([a], [b]) => a - b) as [number, InstalledInterval['verdict']][]);
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 1, max: 28 }),
        fc.option(fc.integer({ min: 1, max: 28 })),
        (list, published, end) => {
          const episodes = exposureEpisodes(history(list, published), end === null ? null : day(end));
          for (const [index, episode] of episodes.entries()) {
            if (episode.openedAt < day(published)) return false;
            if (episode.closedAt && episode.closedAt <= episode.openedAt) return false;
            if (!episode.closedAt && index < episodes.length - 1) return false;
            const next = episodes[index + 1];
            if (next && next.openedAt < episode.closedAt!) return false;
          }
          return true;
        },
      ),
    );
  });
});
