import { comparePatchTimes, type PatchTime } from './compare-patch-times.js';

const expected: PatchTime = {
  site: 's',
  project: 'drupal',
  advisory: 'SA-CORE-2018-002',
  outcome: 'patched',
  published: '2018-03-28T18:00:00Z',
  at: '2018-03-30T18:00:00Z',
  days: 2,
  from: '8.4.5',
};
const episode = {
  site_name: 's',
  module: 'drupal',
  advisory: 'SA-CORE-2018-002',
  opened_at: '2018-03-28T18:00:00Z',
  closed_at: '2018-03-30T18:00:00Z',
  reason: 'patched' as const,
  state: 'closed' as const,
  unknown_since: null,
};

describe(comparePatchTimes.name, () => {
  it('agrees when outcome, end and days agree', () => {
    expect(comparePatchTimes([expected], [episode])).toMatchObject({ agree: 1, unexplained: [] });
  });

  it.each([
    ['an exposure that is missing', []],
    ['another end', [{ ...episode, closed_at: '2018-03-31T18:00:00Z' }]],
    ['another start', [{ ...episode, opened_at: '2018-03-27T18:00:00Z' }]],
    ['another outcome', [{ ...episode, reason: 'removed' as const }]],
    ['another site', [{ ...episode, site_name: 't' }]],
  ])('does not explain away %s', (_, episodes) => {
    expect(comparePatchTimes([expected], episodes).unexplained).toHaveLength(1);
  });

  it('explains a deleted lock file only when the exposure went on beyond it', () => {
    const removed: PatchTime = { ...expected, outcome: 'lock_removed' };
    const later = { ...episode, closed_at: '2018-05-01T00:00:00Z' };
    const earlier = { ...episode, closed_at: '2018-03-29T00:00:00Z' };
    expect(comparePatchTimes([removed], [later]).explained.get('lock_removed')).toHaveLength(1);
    expect(comparePatchTimes([removed], [earlier]).unexplained).toHaveLength(1);
  });

  it('explains a missing exposure by Drupal 7 only when the site ran a 7.x version of that module', () => {
    expect(
      comparePatchTimes([expected], [], (site, module) => site === 's' && module === 'drupal').explained.get(
        'drupal_7_version',
      ),
    ).toHaveLength(1);
    expect(comparePatchTimes([expected], [], () => false).unexplained).toHaveLength(1);
  });
});
