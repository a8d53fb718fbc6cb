import { describe, expect, test } from '@jest/globals';
import { advisoryVerdict } from './advisory-verdict.js';

describe('an advisory’s verdict', () => {
  test.each<[string, string, string]>([
    ['>= 8.0.0 <8.9.20 || >= 9.1.0 <9.1.14', '9.1.13', 'affected'],
    ['>= 8.0.0 <8.9.20 || >= 9.1.0 <9.1.14', '9.1.14', 'unaffected'],
    ['>= 8.0.0 <8.9.20 || >= 9.1.0 <9.1.14', '9.0.5', 'unaffected'],
    [' >= 8.0.0 < 8.9.20', '8.9.20', 'unaffected'],
    ['11.2.*', '11.2.3', 'affected'],
    ['11.2.*', '11.3.0', 'unaffected'],
    ['*', '8.x-1.0', 'affected'],
    ['<7.95 || >=8.0.0 <9.4.10', '7.94', 'affected'],
    ['<7.95 || >=8.0.0 <9.4.10', '7.95', 'unaffected'],
    ['<1.18.0', '8.x-1.17', 'affected'],
    ['<1.18.0', '8.x-1.18', 'unaffected'],
    ['<1.18.0', '8.x-1.18-rc1', 'unaffected'],
    ['<2.0.0 || >=3.0.0-beta1 <3.0.0-beta3', '3.0.0-beta2', 'affected'],
    ['<1.0.0 || 2.0.0 || 2.0.1', '2.0.1', 'affected'],
  ])('%j on %j: %s', (affected, version, verdict) => {
    expect(advisoryVerdict({ affected }, version)).toBe(verdict);
  });

  test('Drupal 7 versions are judged by their own range only', () => {
    const advisory = { affected: '<2.0.0', affectedD7: '>=1.0.0 <1.5.0' };
    expect(['7.x-1.4', '7.x-1.5', '8.x-1.9'].map((version) => advisoryVerdict(advisory, version))).toEqual([
      'affected',
      'unaffected',
      'affected',
    ]);
    expect(advisoryVerdict({ affected: '<2.0.0', affectedD7: null }, '7.x-1.0')).toBe('unaffected');
    expect(advisoryVerdict({ affected: null, affectedD7: '<1.5.0' }, '8.x-1.0')).toBe('unaffected');
  });

  test.each([
    null,
    undefined,
    '',
    '8.x-1.x-dev',
    '8.x-1.3+4-dev',
    '10.6.x-dev',
    'dev-main',
    '1.0-HEAD',
    'master',
    'Unknown',
  ])('what cannot be told is unknown: %j', (version) => {
    expect(advisoryVerdict({ affected: '<2.0.0' }, version)).toBe('unknown');
  });

  test('an advisory without a range, or with one that cannot be read, says nothing', () => {
    expect(advisoryVerdict({ affected: null, affectedD7: null }, '1.0.0')).toBe('unknown');
    expect(advisoryVerdict({ affected: 'all of them' }, '1.0.0')).toBe('unknown');
  });

  test.each([null, '', '1.0.0', '7.x-1.0', '8.x-1.x-dev', 'master'])(
    'a module given up affects every version: %j',
    (version) => {
      expect(advisoryVerdict({ affected: '*', unsupported: true }, version)).toBe('affected');
      expect(advisoryVerdict({ affected: null, unsupported: true }, version)).toBe('affected');
    },
  );
});
