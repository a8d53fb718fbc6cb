import { describe, expect, test } from '@jest/globals';
import { prepareHistory } from './prepared-history.js';
import { projectStatus, type InstalledVersion, type StatusOptions } from './project-status.js';
import type { ReleaseHistoryDocument } from './release-history.js';
import { sampleHistory, type SampleRelease } from './sample-history.js';

function verdict(
  history: ReleaseHistoryDocument | null,
  version: string | undefined,
  rest: Partial<InstalledVersion> & StatusOptions = {},
) {
  const { datestamp, project = 'sample', type, ...options } = rest;
  return projectStatus({ project, type, version, datestamp }, history, options);
}

describe('the project as a whole', () => {
  test.each([
    ['insecure', 'NOT_SECURE', 'project-insecure'],
    ['revoked', 'REVOKED', 'project-revoked'],
    ['unpublished', 'REVOKED', 'project-revoked'],
    ['unsupported', 'NOT_SUPPORTED', 'project-unsupported'],
  ])('%s decides everything', (projectStatusText, status, extra) => {
    const history = sampleHistory('1.', ['1.1', '1.0'], { project_status: projectStatusText });
    expect(verdict(history, '1.0')).toMatchObject({
      status,
      extra: [extra],
      projectStatus: projectStatusText,
      title: 'Sample',
      recommended: null,
      releases: [],
    });
  });

  test.each(['published', '', 'draft', 'Unsupported', ' unsupported'])('%j means nothing', (projectStatusText) => {
    const history = sampleHistory('1.', ['1.0'], { project_status: projectStatusText });
    expect(verdict(history, '1.0')).toMatchObject({ status: 'CURRENT', projectStatus: true });
  });

  test('a project of which nothing is installed says so', () => {
    expect(verdict(sampleHistory('1.', ['1.0']), '1.0', { type: 'module-uninstalled' }).projectStatus).toBe(false);
  });
});

describe('what is not known', () => {
  const history = sampleHistory('1.', ['1.1', '1.0']);

  test('a fetch that failed, and one that never was', () => {
    expect(verdict(null, '1.0', { fetch: 'failed' })).toMatchObject({
      status: 'NOT_FETCHED',
      reason: 'not-fetched',
      title: null,
    });
    expect(verdict(history, '', { fetch: 'absent' })).toMatchObject({
      status: 'UNKNOWN',
      reason: 'no-releases',
      title: null,
    });
  });

  test('a document that could not be read is one without releases', () => {
    expect(verdict(null, '1.0')).toMatchObject({ status: 'UNKNOWN', reason: 'no-releases', title: null });
    expect(verdict(null, 'main')).toMatchObject({ status: 'UNKNOWN', reason: 'invalid-version' });
  });

  test('no version in the info file, an empty one, and one that is none', () => {
    expect(verdict(history, undefined)).toMatchObject({
      existingVersion: 'Unknown',
      installType: 'unknown',
      reason: 'invalid-version',
    });
    expect(verdict(history, '')).toMatchObject({
      existingVersion: '',
      installType: 'official',
      reason: 'empty-version',
    });
    expect(verdict(history, 'dev-main')).toMatchObject({
      status: 'UNKNOWN',
      reason: 'invalid-version',
      installType: 'dev',
    });
  });

  test('a history without releases is unknown even where the branch is not supported', () => {
    expect(verdict(sampleHistory('2.', []), '1.0')).toMatchObject({
      status: 'UNKNOWN',
      reason: 'no-releases',
      title: 'Sample',
    });
  });

  test('stored data older than the info file is pending, but a bad project is still bad', () => {
    expect(verdict(history, '1.0', { now: 10, infoFileCtime: 11 })).toMatchObject({
      status: 'FETCH_PENDING',
      reason: 'fetch-pending',
    });
    expect(verdict(history, '1.0', { now: 10, infoFileCtime: 10 }).status).toBe('NOT_CURRENT');
    const revoked = { ...history, project_status: 'revoked' };
    expect(verdict(revoked, '1.0', { now: 10, infoFileCtime: 11 }).status).toBe('REVOKED');
  });
});

describe('an installed release', () => {
  test('is current on the recommended or the latest version and not current below', () => {
    const history = sampleHistory('1.', ['1.2-rc1', '1.1', '1.0']);
    expect(verdict(history, '1.2-rc1')).toMatchObject({ status: 'CURRENT', latestVersion: '1.2-rc1' });
    expect(verdict(history, '1.1')).toMatchObject({ status: 'CURRENT', recommended: '1.1', latestVersion: '1.2-rc1' });
    expect(verdict(history, '1.0')).toMatchObject({ status: 'NOT_CURRENT', recommended: '1.1' });
  });

  test('is matched exactly: no other spelling of the version will do', () => {
    const history = sampleHistory('1.', ['1.1', ['1.0', { types: ['Insecure'] }]]);
    expect(verdict(history, '1.0').status).toBe('NOT_SECURE');
    expect(verdict(history, '1.00').status).toBe('NOT_CURRENT');
  });

  test('marked insecure is not secure, whatever else it is', () => {
    const history = sampleHistory('2.', [
      '2.0',
      ['1.0', { types: ['Unsupported', 'Insecure'], status: 'unpublished' }],
    ]);
    expect(verdict(history, '1.0')).toMatchObject({ status: 'NOT_SECURE', extra: [], recommended: '2.0' });
  });

  test('withdrawn is revoked before it is unsupported', () => {
    const history = sampleHistory('1.', ['1.1', ['1.0', { status: 'unpublished', types: ['Unsupported'] }]]);
    expect(verdict(history, '1.0')).toMatchObject({ status: 'REVOKED', extra: ['release-revoked'] });
  });

  test('not supported says whether there is anything better above it', () => {
    const fields: SampleRelease = { types: ['Unsupported'] };
    expect(verdict(sampleHistory('1.', ['1.1', ['1.0', fields]]), '1.0').extra).toEqual(['release-unsupported']);
    expect(verdict(sampleHistory('1.', [['1.0', fields], '1.1']), '1.0').extra).toEqual([
      'release-unsupported-no-update',
    ]);
    expect(verdict(sampleHistory('2.,1.', ['2.0', ['1.0', fields]]), '1.0').extra).toEqual(['release-unsupported']);
  });

  test('can itself be the latest and the recommended one although it is insecure', () => {
    const history = sampleHistory('1.', [['1.1', { types: ['Insecure'] }], '1.0']);
    expect(verdict(history, '1.1')).toMatchObject({ status: 'NOT_SECURE', latestVersion: '1.1', recommended: '1.1' });
  });
});

describe('supported branches', () => {
  test('outside of them the status is not supported, and the first branch gives the target', () => {
    const history = sampleHistory('3.,2.', ['4.0', '3.1', '2.5', '1.0']);
    expect(verdict(history, '1.0')).toMatchObject({ status: 'NOT_SUPPORTED', recommended: '3.1', also: [] });
  });

  test('a branch that does not parse is passed over for the target', () => {
    expect(verdict(sampleHistory('x,2.', ['3.0', '2.5']), '1.0')).toMatchObject({
      status: 'NOT_SUPPORTED',
      recommended: '2.5',
    });
    expect(verdict(sampleHistory('x', ['1.5']), '1.0')).toMatchObject({ status: 'NOT_SUPPORTED', recommended: null });
  });

  test('never recommend a downgrade', () => {
    const history = sampleHistory('2.', ['3.1', '3.0', '2.5']);
    expect(verdict(history, '3.0')).toMatchObject({ status: 'NOT_SUPPORTED', recommended: null, releases: ['3.0'] });
  });

  test('match by prefix, exactly as written', () => {
    const status = (branches: string | undefined, version: string) =>
      verdict(sampleHistory(branches, [version]), version).status;
    expect(status('8.1.', '8.10.0')).toBe('NOT_SUPPORTED');
    expect(status('8.1', '8.10.0')).toBe('CURRENT');
    expect(status('7., 8.1.', '8.1.0')).toBe('NOT_SUPPORTED');
    expect(status('8.1.,', '9.0.0')).toBe('CURRENT');
  });

  test('missing and empty differ: without the element no release is supported, with an empty one all are', () => {
    expect(verdict(sampleHistory(undefined, ['1.0']), '1.0')).toMatchObject({
      status: 'NOT_SUPPORTED',
      extra: ['release-unsupported-no-update'],
    });
    expect(verdict(sampleHistory(undefined, ['1.1']), '1.0')).toMatchObject({
      status: 'UNKNOWN',
      reason: 'no-releases',
    });
    expect(verdict(sampleHistory('', ['1.0']), '1.0').status).toBe('CURRENT');
  });

  test('majors compare as numbers', () => {
    const history = sampleHistory('9.,10.', ['10.0', '9.5', '9.4']);
    expect(verdict(history, '9.4')).toMatchObject({ recommended: '9.5', also: [['10', '10.0']] });
    expect(verdict(sampleHistory('8.', ['08.2', '8.1']), '8.1')).toMatchObject({ latestVersion: '8.1' });
    expect(verdict(sampleHistory('8.,08.', ['08.2', '8.1']), '8.1')).toMatchObject({ latestVersion: '08.2' });
  });
});

describe('the walk through the releases', () => {
  test('the order of the document decides, not that of the versions', () => {
    expect(verdict(sampleHistory('1.', ['1.1', '1.3', '1.2', '1.0']), '1.0')).toMatchObject({
      latestVersion: '1.1',
      recommended: '1.1',
    });
  });

  test('each newer major is named once, in the order found', () => {
    const history = sampleHistory('1.,2.,3.', ['2.1', '3.1', '3.0', '2.0', '1.0']);
    expect(verdict(history, '1.0')).toMatchObject({
      also: [
        ['2', '2.1'],
        ['3', '3.1'],
      ],
      releases: ['2.1', '3.1', '1.0'],
    });
  });

  test.each<[string, SampleRelease]>([
    ['unpublished', { status: 'unpublished' }],
    ['insecure', { types: ['Insecure'] }],
    ['unsupported', { types: ['Unsupported'] }],
    ['in no known state', { status: 'Published' }],
    ['without a page', { release_link: undefined }],
    ['with an empty page', { release_link: '' }],
    ['with an empty download', { download_link: '' }],
    ['with an empty date', { date: '' }],
    ['with a date that is no number', { date: '2024-01-01' }],
    ['with a core_compatible mark', { core_compatible: '1' }],
    ['with an empty compatibility message', { core_compatibility_message: '' }],
    ['with a term of another vocabulary', { terms: { 'Release type': ['Bug fixes'], Topic: ['x'] } }],
    ['with an empty last version', { display_version: '' }],
  ])('a release %s is passed over', (_what, fields) => {
    expect(verdict(sampleHistory('1.', [['1.2', fields], '1.1', '1.0']), '1.0')).toMatchObject({
      latestVersion: '1.1',
      releases: ['1.1'],
    });
  });

  test.each<[string, SampleRelease]>([
    ['without a download', { download_link: undefined }],
    ['without a date', { date: undefined }],
    ['with an odd date', { date: ' +1.6e9 ' }],
    ['with a blank page', { release_link: ' ' }],
    ['with download 0', { download_link: '0' }],
    ['without terms', { terms: undefined }],
    ['with an unknown release type', { types: ['security update'] }],
  ])('a release %s counts', (_what, fields) => {
    expect(verdict(sampleHistory('1.', [['1.2', fields], '1.1', '1.0']), '1.0').latestVersion).toBe('1.2');
  });

  test('a snapshot without a date counts only where it is installed', () => {
    const history = sampleHistory('1.', [['1.x-dev', { date: undefined }], '1.0']);
    expect(verdict(history, '1.0').devVersion).toBeNull();
    expect(verdict(history, '1.x-dev').devVersion).toBe('1.x-dev');
  });

  test('a pre-release is not recommended above an older stable release, a later fix of the same release is', () => {
    expect(verdict(sampleHistory('1.', ['1.6-beta1', '1.5', '1.4']), '1.4').recommended).toBe('1.5');
    expect(verdict(sampleHistory('1.', ['1.6-bugfix', '1.6', '1.5']), '1.5').recommended).toBe('1.6-bugfix');
  });

  test('a release is told to be the same one by its version without the extra, but an empty extra and 0 are left on', () => {
    const recommended = (version: string) => verdict(sampleHistory('1.', [version, '1.6', '1.5']), '1.5').recommended;
    expect(['1.6-fix', '1.6-fix-fix', '1.6-', '1.6-0'].map(recommended)).toEqual([
      '1.6-fix',
      '1.6-fix-fix',
      '1.6',
      '1.6',
    ]);
  });

  test('an empty extra is an extra: such a release is never stable', () => {
    expect(verdict(sampleHistory('1.', ['1.6-', '1.5', '1.4']), '1.4').recommended).toBe('1.5');
  });

  test('without a stable release the latest is recommended if the last release looked at is supported', () => {
    expect(verdict(sampleHistory('1.', ['1.1-rc1', '1.0-rc1']), '1.2-rc9')).toMatchObject({
      recommended: '1.1-rc1',
      status: 'NOT_CURRENT',
    });
    expect(verdict(sampleHistory('1.', ['1.1-rc1', '0.1']), '1.2-rc9')).toMatchObject({
      recommended: null,
      reason: 'no-releases',
    });
  });

  test('invalid and unusable releases leave the memory of the last supported one alone', () => {
    const history = sampleHistory('1.', ['1.1-rc1', 'dev-main', ['0.1', { download_link: '' }]]);
    expect(verdict(history, '1.2-rc9').recommended).toBe('1.1-rc1');
  });
});

describe('security updates', () => {
  const fix: SampleRelease = { types: ['Security update'] };

  test('are listed above the installed release and never change the status', () => {
    const history = sampleHistory('1.', ['1.3', ['1.2', fix], '1.1', ['1.0', fix]]);
    expect(verdict(history, '1.1')).toMatchObject({ status: 'NOT_CURRENT', securityUpdates: ['1.2'] });
    expect(verdict(history, '1.0')).toMatchObject({ securityUpdates: ['1.2'] });
  });

  test('of newer majors are not listed, of older ones are when the installed version is not in the history', () => {
    const history = sampleHistory('1.,2.,3.', [
      ['3.1', fix],
      ['2.1', fix],
      ['1.1', fix],
    ]);
    expect(verdict(history, '2.0')).toMatchObject({ securityUpdates: ['2.1', '1.1'], also: [['3', '3.1']] });
  });

  test('a fix that a later fix made insecure is not listed', () => {
    const history = sampleHistory('1.', [['1.2', fix], ['1.1', { types: ['Security update', 'Insecure'] }], '1.0']);
    expect(verdict(history, '1.0').securityUpdates).toEqual(['1.2']);
  });
});

describe('a development snapshot', () => {
  const history = sampleHistory('1.', [
    ['1.1', { date: '1000', types: ['Security update'] }],
    ['1.0', { date: '500' }],
    ['1.x-dev', { date: '2000' }],
  ]);
  const at = (datestamp: number | string | undefined) => verdict(history, '1.x-dev', { datestamp });

  test.each([undefined, 0, '0', ''])('without a date (%j) is not checked', (datestamp) => {
    expect(at(datestamp)).toMatchObject({ status: 'NOT_CHECKED', reason: 'unknown-release-date', securityUpdates: [] });
  });

  test('is current when packaged at most 99 seconds before the latest', () => {
    expect(at(1901)).toMatchObject({ status: 'CURRENT', latestDev: '1.x-dev' });
    expect(at('1900')).toMatchObject({ status: 'NOT_CURRENT', recommended: '1.1', devVersion: '1.x-dev' });
  });

  test('older than a security release lists it, younger does not', () => {
    expect(at(900).securityUpdates).toEqual(['1.1']);
    expect(at(901).securityUpdates).toEqual([]);
  });

  test('compares with the latest release when that is younger than the snapshot', () => {
    const newer = sampleHistory('1.', [
      ['1.1', { date: '3000' }],
      ['1.x-dev', { date: '2000' }],
    ]);
    expect(verdict(newer, '1.x-dev', { datestamp: 2500 })).toMatchObject({ latestDev: '1.1', status: 'NOT_CURRENT' });
    const undated = sampleHistory('1.', [
      ['1.1', { date: undefined }],
      ['1.x-dev', { date: '-5' }],
    ]);
    expect(verdict(undated, '1.x-dev', { datestamp: 2500 })).toMatchObject({ latestDev: '1.x-dev' });
    const both = sampleHistory('1.', [
      ['1.1', { date: undefined }],
      ['1.x-dev', { date: undefined }],
    ]);
    expect(verdict(both, '1.x-dev', { datestamp: 2500 })).toMatchObject({ latestDev: '1.1', status: 'CURRENT' });
  });
});

describe('the page of updates', () => {
  const fix: SampleRelease = { types: ['Security update'] };

  test('leaves the recommended row out when it is the one security update', () => {
    expect(verdict(sampleHistory('1.', [['1.1', fix], '1.0']), '1.0').report.rows).toEqual([['security', '1.1']]);
    expect(verdict(sampleHistory('1.', ['1.2', ['1.1', fix], '1.0']), '1.0').report.rows).toEqual([
      ['recommended', '1.2'],
      ['security', '1.1'],
    ]);
  });

  test('keeps the recommended row when there are more security updates than that one', () => {
    const history = sampleHistory('1.', [['1.2', fix], ['1.1', fix], '1.0']);
    expect(verdict(history, '1.0').report.rows).toEqual([
      ['recommended', '1.2'],
      ['security', '1.2'],
      ['security', '1.1'],
    ]);
  });

  test('recommends the stable release to a site that is current on a snapshot', () => {
    const history = sampleHistory('1.', ['1.1', ['1.x-dev', { date: '1700000000' }]]);
    expect(verdict(history, '1.x-dev', { datestamp: 1_700_000_000 }).report).toEqual({
      icon: 'ok',
      rows: [['recommended', '1.1']],
    });
  });

  test('shows snapshots to snapshots only', () => {
    expect(verdict(sampleHistory('1.', ['1.x-dev', '1.1', '1.0']), '1.0').report.rows).toEqual([
      ['recommended', '1.1'],
      ['latest', '1.x-dev'],
    ]);
  });

  test('shows no security rows to a site on the recommended version', () => {
    const history = sampleHistory('1.', [['1.2-rc1', fix], '1.1']);
    expect(verdict(history, '1.1')).toMatchObject({
      status: 'CURRENT',
      securityUpdates: ['1.2-rc1'],
      report: { rows: [['latest', '1.2-rc1']] },
    });
    expect(verdict(sampleHistory('1.', ['1.0']), '1.0').report).toEqual({ icon: 'ok', rows: [] });
  });

  test('lists latest, dev and also in that order', () => {
    const history = sampleHistory('1.,2.', ['2.0', '1.2-rc1', '1.1', ['1.x-dev', { date: '1700000000' }]]);
    expect(verdict(history, '1.x-dev', { datestamp: 1_600_000_000 }).report).toEqual({
      icon: 'warning',
      rows: [
        ['recommended', '1.1'],
        ['latest', '1.2-rc1'],
        ['dev', '1.x-dev'],
        ['also', '2.0'],
      ],
    });
  });

  test('prints the last version of a release that has two', () => {
    const history = sampleHistory('1.', [['1.1', { display_version: '1.1.7' }], '1.0']);
    expect(verdict(history, '1.0')).toMatchObject({ latestVersion: '1.1', recommended: '1.1.7' });
  });

  test('names core’s recommended version unless core is current', () => {
    const history = sampleHistory('11.4.', ['11.4.1', '11.4.0']);
    const requirement = (version: string) => verdict(history, version, { project: 'drupal' }).requirement;
    expect(requirement('11.4.0')).toEqual({ severity: 'warning', status: 'NOT_CURRENT', versionAvailable: '11.4.1' });
    expect(requirement('11.4.1')).toEqual({ severity: 'ok', status: 'CURRENT', versionAvailable: null });
    expect(verdict(history, '11.4.0').requirement).toBeNull();
  });
});

test('a prepared history gives the same answers as the document', () => {
  const history = sampleHistory('1.,2.', ['2.0', '1.1', ['1.0', { types: ['Insecure'] }], '1.x-dev', 'dev-main']);
  const prepared = prepareHistory(history);
  for (const version of ['2.0', '1.1', '1.0', '1.x-dev', '0.1', 'dev-main', '', undefined]) {
    const installed = { project: 'drupal', version, datestamp: 5 };
    expect(projectStatus(installed, prepared)).toEqual(projectStatus(installed, history));
  }
});
