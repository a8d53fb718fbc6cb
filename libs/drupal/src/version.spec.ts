import { describe, expect, test } from '@jest/globals';
import { existingMajor, installType, parseBranch, parseVersion } from './version.js';

describe('a Drupal version', () => {
  test.each([
    ['8.x-1.17', '1', null, null],
    ['8.x-1.x-dev', '1', null, 'dev'],
    ['11.4.0-rc2', '11', '4', 'rc2'],
    ['10.6.x-dev', '10', '6', 'dev'],
    ['2.x-dev', '2', null, 'dev'],
    ['8.x-dev', '8', null, 'dev'],
    ['9.x-dev', '9', null, 'dev'],
    ['1.0-beta1-fix', '1', null, 'beta1'],
    ['08.1.0', '08', '1', null],
    [' 9.1', ' 9', null, null],
  ])('%j is major %j, minor %j, extra %j', (version, major, minor, extra) => {
    expect(parseVersion(version)).toEqual({ major, minor, extra });
  });

  test('an extra that is empty is not the same as none', () => {
    expect(parseVersion('1.0-')?.extra).toBe('');
    expect(parseVersion('1.0')?.extra).toBeNull();
  });

  test.each([
    'dev-main',
    'main',
    '',
    '1',
    '1.x',
    '1.2.3.4',
    '1.1.x',
    '7.x-1.2',
    '9.x-1.0',
    '10.x-1.0',
    '1.0.0+b',
    'a.1',
    '1.a.0',
  ])('%j is invalid', (version) => {
    expect(parseVersion(version)).toBeNull();
  });

  test.each([
    ['8.x-1.', '1'],
    ['11.4.', '11'],
    ['2.', '2'],
  ])('branch %j has major %j', (branch, major) => {
    expect(parseBranch(branch)?.major).toBe(major);
  });

  test.each(['8.1', '', '.', 'x.', '1.2.3.'])('%j is no branch', (branch) => {
    expect(parseBranch(branch)).toBeNull();
  });

  test('the displayed major is recognised more loosely than versions are', () => {
    expect(['7.x-1.2', '100.x-11.2.0', '8.x-2.x-dev', '1', 'dev-main'].map(existingMajor)).toEqual([
      '1',
      '11',
      '2',
      '-1',
      '-1',
    ]);
  });

  test('dev and HEAD anywhere make a dev install, in exactly that case', () => {
    expect(['1.x-dev', '1.0-HEAD', 'mydevice.1', '1.0-DEV', undefined].map(installType)).toEqual([
      'dev',
      'dev',
      'dev',
      'official',
      'unknown',
    ]);
  });
});
