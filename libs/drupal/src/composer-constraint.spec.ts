import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseConstraint, satisfies } from './composer-constraint.js';
import { compareComposer, composerVersion, normalizeVersion, stabilityOf } from './composer-version.js';
import { compareReleaseOrder } from './release-order.js';

describe('a Composer version', () => {
  test.each([
    ['1', '1.0.0.0'],
    ['v1.2', '1.2.0.0'],
    ['1.2.3.4', '1.2.3.4'],
    ['1.0.0-beta1', '1.0.0.0-beta1'],
    ['1.0RC2', '1.0.0.0-RC2'],
    ['1.0-a.3', '1.0.0.0-alpha3'],
    ['1.0-p1', '1.0.0.0-patch1'],
    ['1.0.0-stable', '1.0.0.0'],
    ['1.0.0-dev', '1.0.0.0-dev'],
    ['1.0.0-beta2-dev', '1.0.0.0-beta2-dev'],
    ['10.6.x-dev', '10.6.9999999.9999999-dev'],
    ['1.0.0+build.5', '1.0.0.0'],
    ['1.0.0@beta', '1.0.0.0'],
    ['20240131', '20240131'],
    ['dev-main', 'dev-main'],
    ['master', 'dev-master'],
  ])('%j is %j', (version, normalized) => {
    expect(normalizeVersion(version)?.normalized).toBe(normalized);
  });

  test.each(['', 'main', '1.2.3.4.5', 'a', '1.0-foo', '1..2', '^1.0', '1.0 2.0', 'foo-dev'])(
    '%j is none',
    (version) => {
      expect(normalizeVersion(version)).toBeNull();
    },
  );

  test.each([
    ['8.x-1.17', '1.17.0.0'],
    ['8.x-2.0-rc1', '2.0.0.0-RC1'],
    ['7.x-3.10', '3.10.0.0'],
    ['10.3.1', '10.3.1.0'],
    ['8.x-1.x-dev', '1.9999999.9999999.9999999-dev'],
    ['8.x-dev', '8.9999999.9999999.9999999-dev'],
  ])('the Drupal version %j is %j', (version, normalized) => {
    expect(composerVersion(version)?.normalized).toBe(normalized);
  });

  test.each(['master', 'dev-main', '', 'Unknown'])('%j is no Drupal version', (version) => {
    expect(composerVersion(version)).toBeNull();
  });

  test('orders dev, alpha, beta, RC, release, patch', () => {
    const ascending = [
      '1.0.0-dev',
      '1.0.0-alpha1',
      '1.0.0-alpha2',
      '1.0.0-alpha10',
      '1.0.0-beta',
      '1.0.0-beta1-dev',
      '1.0.0-beta1',
      '1.0.0-RC1',
      '1.0.0',
      '1.0.0-p1',
      '1.0.1',
      '1.10.0',
      '2.x-dev',
    ];
    const read = ascending.map(
      (version) => normalizeVersion(version) as NonNullable<ReturnType<typeof normalizeVersion>>,
    );
    for (let left = 0; left < read.length; left += 1) {
      for (let right = 0; right < read.length; right += 1) {
        expect(Math.sign(compareComposer(read[left]!, read[right]!))).toBe(Math.sign(left - right));
      }
    }
  });

  test('says how stable it is', () => {
    expect(['1.0', '1.0-rc1', '1.0b2', '1.0-alpha', '1.x-dev', 'dev-main', '1.0-p1'].map(stabilityOf)).toEqual([
      'stable',
      'RC',
      'beta',
      'alpha',
      'dev',
      'dev',
      'stable',
    ]);
  });
});

describe('a Composer constraint', () => {
  test.each<[string, string[], string[]]>([
    ['^10.3 || ^11', ['10.3.0', '10.3.0-beta1', '11.9.0', '11.0.0-dev'], ['10.2.9', '12.0.0-alpha1', '12.0.0', '9.0']],
    ['^10.3|^11', ['11.0.0'], ['12.0.0']],
    ['^0.3', ['0.3.0', '0.3.9'], ['0.4.0', '0.4.0-alpha1', '1.0']],
    ['^0.0.3', ['0.0.3'], ['0.0.4']],
    ['^0', ['0.9'], ['1.0.0-dev', '1.0']],
    ['~10.2.0', ['10.2.0', '10.2.9'], ['10.3.0', '10.3.0-rc1']],
    ['~10.2', ['10.2.0', '10.9'], ['11.0.0-dev', '10.1']],
    ['~11', ['11.5.0'], ['12.0.0']],
    ['8.x', ['8.0.0', '8.9.20', '8.0.0-dev'], ['9.0.0', '9.0.0-beta1', '7.9']],
    ['11.2.*', ['11.2.0', '11.2.9'], ['11.3.0', '11.1.9']],
    ['0.*', ['0.1'], ['1.0']],
    ['*', ['1.0', '0.0.1-dev'], []],
    ['10.0 - 10.4', ['10.0.0-dev', '10.4.9'], ['10.5.0', '9.9']],
    ['10.0.0 - 10.4.2', ['10.4.2'], ['10.4.3']],
    ['>=8.0 <9.4.10', ['8.0', '9.4.9', '8.0.0-beta1'], ['9.4.10', '9.4.10-beta1', '7.9']],
    ['>= 10.2, < 11.1', ['10.2', '11.0.9'], ['11.1', '10.1']],
    ['>9.5 <=10.3.0', ['9.5.1', '10.3.0'], ['9.5.0', '10.3.1']],
    ['=11.0.0', ['11.0.0'], ['11.0.0-rc1', '11.0.1']],
    ['11', ['11.0.0'], ['11.0.1']],
    ['!=10.3.0', ['10.3.1'], ['10.3.0']],
    ['<>10.3.0', ['10.3.1'], ['10.3.0']],
    ['^11@alpha', ['11.0.0'], ['10.0']],
    ['>=1.0@beta', ['1.0.0-beta1', '1.0'], ['1.0.0-alpha1']],
    ['>=11.3.0-rc1', ['11.3.0-rc1', '11.3.0'], ['11.3.0-beta1']],
    [
      '<2.0.0 || >=3.0.0-beta1 <3.0.0-rc4',
      ['1.9', '3.0.0-beta1', '3.0.0-rc3'],
      ['2.0.0', '2.0.0-rc1', '3.0.0-alpha1', '3.0.0-rc4'],
    ],
    ['dev-main', ['dev-main'], ['1.0', 'dev-other']],
    ['>=1.0', ['1.0'], ['dev-main']],
    ['!=1.0', ['dev-main', '1.1'], ['1.0']],
    ['^20240131', ['20240131', '20240131.5'], ['20240201']],
    ['~2.x-dev', ['2.x-dev'], ['2.5', '3.0']],
    ['0.x', ['0.0.1'], ['1.0']],
    ['1.0+build - 2', ['1.0-beta1', '2.9'], ['3.0']],
  ])('%j takes %j and not %j', (constraint, takes, refuses) => {
    expect(takes.filter((version) => !satisfies(version, constraint))).toEqual([]);
    expect(refuses.filter((version) => satisfies(version, constraint))).toEqual([]);
  });

  test.each(['garbage', '^^11', '>=', '1.0 ||', '~foo', '^', '10.x.5', '<'])('%j is refused', (constraint) => {
    expect(parseConstraint(constraint)).toBeNull();
    expect(satisfies('1.0', constraint)).toBe(false);
  });

  test('never throws and never takes long, whatever it is given', () => {
    const pieces = fc.constantFrom(
      '^',
      '~',
      '>=',
      '<',
      '!=',
      '1',
      '0',
      '.',
      'x',
      '*',
      ' ',
      ',',
      '|',
      '||',
      '-',
      ' - ',
      'dev',
      'rc',
      '@',
      '#',
      'as',
      'v',
      '+',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string({ maxLength: 3 })), { maxLength: 25 }), (parts) => {
        const text = parts.join('');
        expect(typeof satisfies(text, text)).toBe('boolean');
        composerVersion(text);
        stabilityOf(text);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    `^${'1.'.repeat(1000)}`,
    ' '.repeat(2000),
    `1${'.1-'.repeat(1300)}`,
    `1.0-beta${'.1'.repeat(1000)}x`,
    `>= ${'a'.repeat(2000)}`,
    `1.0-beta${'1'.repeat(240)}x`,
    `1.0-beta${'1'.repeat(2000)}x`,
    `1${' '.repeat(2000)}1`,
    '1.0 ,'.repeat(400),
    'as '.repeat(600),
    `^1.0-a${'-1'.repeat(900)}x`,
    `1.0 - 2.0-p${'1'.repeat(1900)}x`,
  ])('hostile text number %# is answered at once', (text) => {
    // Of this process alone: what else the machine does must not count.
    const begun = process.cpuUsage();
    parseConstraint(text);
    normalizeVersion(text.slice(0, 255));
    stabilityOf(text);
    expect(process.cpuUsage(begun).user / 1_000).toBeLessThan(200);
  });
});

test('releases are ordered as Composer orders them, and what is no version comes first', () => {
  const versions = ['8.x-1.10', '7.x-3.1', 'master', '8.x-1.9', '6.x-4.0', '2.0.0', '2.0.0-rc1', '8.x-1.x-dev'];
  expect(versions.sort(compareReleaseOrder)).toEqual([
    'master',
    '6.x-4.0',
    '7.x-3.1',
    '8.x-1.9',
    '8.x-1.10',
    '8.x-1.x-dev',
    '2.0.0-rc1',
    '2.0.0',
  ]);
});
