import { describe, expect, test } from '@jest/globals';
import { fetchUrl } from './fetch-url.js';

const includes = [
  { name: 'token', title: 'Token' },
  { name: 'tökën ui', title: '' },
];

describe('the address of a release history', () => {
  test('carries nothing about the site unless there is a key', () => {
    expect(fetchUrl({ project: 'token' })).toBe('https://updates.drupal.org/release-history/token/current');
    expect(fetchUrl({ project: 'token', version: '1.0', includes }, { siteKey: '' })).toBe(
      'https://updates.drupal.org/release-history/token/current',
    );
  });

  test('takes the project’s own server, then the site’s', () => {
    expect(fetchUrl({ project: 'a' }, { fetchUrl: 'https://mirror.test/x' })).toBe('https://mirror.test/x/a/current');
    expect(fetchUrl({ project: 'a', statusUrl: 'https://own.test' }, { fetchUrl: 'https://mirror.test' })).toBe(
      'https://own.test/a/current',
    );
    expect(fetchUrl({ project: 'a', statusUrl: '' })).toBe('/a/current');
  });

  test('with a key says version and extensions, encoded strictly', () => {
    expect(fetchUrl({ project: 'token', type: 'module', version: "1.0!'()*~", includes }, { siteKey: 'a+b' })).toBe(
      'https://updates.drupal.org/release-history/token/current?site_key=a%2Bb&version=1.0%21%27%28%29%2A~&list=token%2Ct%C3%B6k%C3%ABn%20ui',
    );
    expect(
      fetchUrl({ project: 'a', version: '0', includes: [] }, { siteKey: 'k', fetchUrl: 'https://m.test/?p=' }),
    ).toBe('https://m.test/?p=/a/current&site_key=k&list=');
  });

  test('says nothing for a type that contains disabled', () => {
    expect(fetchUrl({ project: 'a', type: 'module-disabled', includes }, { siteKey: 'k' })).not.toContain('site_key');
    expect(fetchUrl({ project: 'a', type: 'module-uninstalled', includes }, { siteKey: 'k' })).toContain('site_key');
  });

  test('half a character does no harm', () => {
    expect(fetchUrl({ project: 'a', version: '\ud800', includes: [] }, { siteKey: 'k' })).toContain(
      'version=%EF%BF%BD',
    );
  });
});
