import { describe, expect, test } from '@jest/globals';
import type { CoreCode } from './coverage.js';
import { projectStatus } from './project-status.js';
import { sampleHistory, type SampleRelease } from './sample-history.js';

type Releases = (string | [string, SampleRelease])[];

function coverage(
  releases: Releases,
  version: string,
  options: { now?: string; coreCode?: CoreCode; timeZone?: string } = {},
) {
  const { now, ...rest } = options;
  const seconds = now === undefined ? undefined : Date.parse(now) / 1000;
  return projectStatus({ project: 'drupal', version }, sampleHistory('10.', releases), { ...rest, now: seconds })
    .coverage;
}

describe('core’s coverage by version', () => {
  const latest = (minor: number, releases: Releases = []) =>
    coverage([`13.${minor}.0`, ...releases, '13.2.5'], '13.2.5');

  test('ends with the second minor after the installed one', () => {
    expect(latest(2)).toEqual({
      info: { endVersion: '13.4.0', additionalMinors: 2 },
      entry: { state: 'covered', until: '13.4.0', severity: 'info', hint: null },
    });
    expect(latest(3)?.entry).toEqual({
      state: 'covered',
      until: '13.4.0',
      severity: 'warning',
      hint: 'update-to-minor-or-higher:13.3',
    });
    expect(latest(4)?.entry).toEqual({
      state: 'ended',
      until: null,
      severity: 'error',
      hint: 'update-to-supported-minor-now',
    });
  });

  test('counts from the first stable published release of the major, whatever its terms', () => {
    const additional = (releases: Releases) => coverage([...releases, '13.2.5'], '13.2.5')?.info;
    expect(additional([['13.3.0', { types: ['Insecure', 'Unsupported'] }]])).toMatchObject({ additionalMinors: 1 });
    expect(additional([['13.3.0', { status: 'unpublished' }], '13.3.0-rc1', '14.9.0'])).toMatchObject({
      additionalMinors: 2,
    });
  });

  test('a version that cannot be read before the first such release leaves the number open', () => {
    expect(coverage(['dev-main', '13.2.5'], '13.2.5')).toMatchObject({
      info: { additionalMinors: null },
      entry: { state: 'ended' },
    });
    expect(coverage(['13.2.5', 'dev-main'], '13.2.5')).toMatchObject({ info: { additionalMinors: 2 } });
  });

  test('is not worked out for versions that core’s history does not name, nor for pre-releases', () => {
    expect(coverage(['13.3.0'], '13.2.5')).toEqual({ info: null, entry: null });
    expect(coverage(['13.3.0-rc1'], '13.3.0-rc1')).toEqual({ info: null, entry: null });
    expect(coverage(['dev-main'], 'dev-main')).toEqual({ info: null, entry: null });
    expect(coverage([], '13.2.5')).toBeNull();
  });

  test('needs the installed release to be named, not to be usable', () => {
    expect(coverage(['13.3.0', ['13.2.5', { date: '' }]], '13.2.5')?.info).toMatchObject({ additionalMinors: 1 });
  });

  test('is core’s alone', () => {
    expect(
      projectStatus({ project: 'token', version: '13.2.5' }, sampleHistory('13.', ['13.2.5'])).coverage,
    ).toBeNull();
  });
});

describe('core’s coverage by date', () => {
  const at = (now: string, version = '10.6.3', coreCode?: CoreCode, timeZone?: string) =>
    coverage([version], version, { now, coreCode, timeZone })?.entry;

  test('warns from the warning date and ends on the end date', () => {
    expect(at('2026-06-16T23:59:59Z')).toEqual({
      state: 'covered',
      until: '2026-Dec-09',
      severity: 'info',
      hint: null,
    });
    expect(at('2026-06-17T00:00:00Z')).toMatchObject({ severity: 'warning', hint: 'update-to-supported-version-soon' });
    expect(at('2026-12-08T23:59:59Z')).toMatchObject({ state: 'covered' });
    expect(at('2026-12-09T00:00:00Z')).toEqual({
      state: 'ended',
      until: null,
      severity: 'error',
      hint: 'update-to-supported-minor-now',
    });
  });

  test('a month ends it with its first day', () => {
    expect(at('2023-10-31T12:00:00Z', '9.5.11')).toMatchObject({ state: 'covered', until: '2023-Nov' });
    expect(at('2023-11-01T00:00:00Z', '9.5.11')).toMatchObject({ state: 'ended' });
    expect(at('2021-10-31T00:00:00Z', '8.9.20')).toMatchObject({ severity: 'info' });
  });

  test('today is today where the site is; a zone that does not exist counts as UTC', () => {
    expect(at('2026-12-08T20:00:00Z', '10.6.3', undefined, 'Asia/Tokyo')).toMatchObject({ state: 'ended' });
    expect(at('2026-12-08T20:00:00Z', '10.6.3', undefined, 'Middle/Earth')).toMatchObject({ state: 'covered' });
  });

  test('holds for pre-releases of the minor too', () => {
    expect(at('2026-01-01T00:00:00Z', '10.6.0-rc1')).toMatchObject({ until: '2026-Dec-09' });
  });

  test('the table can be pinned to the one a core carries', () => {
    expect(coverage(['10.6.3'], '10.6.3', { coreCode: '11.x' })?.info).toEqual({
      endVersion: '10.8.0',
      additionalMinors: 2,
    });
    expect(coverage(['9.5.0'], '9.5.0', { coreCode: '10.6.x' })?.info).toEqual({
      endVersion: '9.7.0',
      additionalMinors: 2,
    });
  });
});
