import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { differences } from './compare.js';
import { main } from './main.js';
import { runConformance } from './run.js';

const root = process.cwd();
const carried = join(root, 'tools', 'conformance', 'cases');
const external = [process.env.PATCHWATCH_CONFORMANCE_DIR, resolve(root, '..', 'shared', 'data', 'update-status')].find(
  (folder): folder is string => folder !== undefined && folder !== '' && existsSync(folder),
);

describe('conformance with Drupal core', () => {
  test('every carried case is answered as Drupal core answers it', () => {
    const { files, failures } = runConformance(carried);
    expect(failures).toEqual([]);
    expect(files.reduce((sum, file) => sum + file.passed, 0)).toBeGreaterThan(1000);
  });

  const whenThere = external ? test : test.skip;
  const name = external
    ? `every case in ${external} is answered as Drupal core answers it`
    : 'skipped: no larger set of cases here (set PATCHWATCH_CONFORMANCE_DIR to the folder that holds them)';
  whenThere(
    name,
    () => {
      const { files, failures } = runConformance(external as string);
      expect(failures.slice(0, 10)).toEqual([]);
      expect(files.length).toBeGreaterThan(0);
    },
    120_000,
  );
});

describe('the runner', () => {
  test('finds a wrong value, a wrong order and a missing key', () => {
    expect(differences({ status: 'CURRENT' }, { status: 'NOT_CURRENT' })).toEqual([
      { key: 'status', expected: 'CURRENT', actual: 'NOT_CURRENT' },
    ]);
    expect(differences({ also: [['2', '2.0']] }, { also: [] })).toHaveLength(1);
    expect(differences({ projects: { a: {}, b: {} } }, { projects: { b: {}, a: {} } })).toHaveLength(1);
    expect(differences({ projects: { a: {} } }, { projects: { a: {}, b: {} } })).toHaveLength(1);
    expect(differences({ title: null }, {})).toHaveLength(1);
    expect(differences({ coverage: { info: null } }, { coverage: null })).toHaveLength(1);
  });

  test('compares datestamps as numbers and leaves out what Drupal crashes on', () => {
    expect(differences({ datestamp: '5' }, { datestamp: 5 })).toEqual([]);
    expect(differences({ coverage: { drupal_crash: 'TypeError' } }, { coverage: null })).toEqual([]);
    expect(differences({ php_warnings: ['x'], drupal_crash: 'y' }, {})).toEqual([]);
  });

  test('says what passed, and exits with 1 on a failure and with 2 when there is nothing to run', () => {
    const lines: string[] = [];
    expect(main([carried], (line) => lines.push(line))).toBe(0);
    expect(lines.at(-1)).toMatch(/^total: \d+ passed, 0 failed$/);
    expect(main([join(root, 'no-such-folder')], (line) => lines.push(line))).toBe(2);
    expect(lines.at(-1)).toContain('there is no folder');
  });
});
