import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
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
    expect(differences({ core_compatibility: { a: {} } }, { core_compatibility: { a: {}, b: {} } })).toHaveLength(1);
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

describe('a folder that nobody has seen', () => {
  const HISTORY =
    '<project><short_name>a</short_name><supported_branches>10.5.,1.</supported_branches><releases><release><version>10.5.0</version>' +
    '<status>published</status><release_link>x</release_link></release></releases></project>';
  const version = { kind: 'version', input: '1.0', expected: { as_branch: { valid: false } } };
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'conformance-'))));
  afterEach(() => rmSync(folder, { recursive: true }));
  const put = (path: string, body: string | Buffer) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), body);
  };
  const run = (): { code: number; lines: string[] } => {
    const lines: string[] = [];
    return { code: main([folder], (line) => lines.push(line)), lines };
  };

  test('is read at any depth, gzipped or not, with blank lines, line ends and members of other kinds', () => {
    put('deep/er/cases-a.jsonl', `${JSON.stringify({ id: 'a', new: [1], ...version })}\r\n\n`);
    put('cases-b.jsonl.gz', gzipSync(JSON.stringify(version)));
    put('cases-c.jsonl.gz', JSON.stringify(version));
    put('notes.jsonl', 'no case');
    expect(run()).toEqual({
      code: 0,
      lines: [
        'cases-b.jsonl.gz: 1 passed, 0 failed',
        'cases-c.jsonl.gz: 1 passed, 0 failed',
        'deep/er/cases-a.jsonl: 1 passed, 0 failed',
        'total: 3 passed, 0 failed',
      ],
    });
  });

  test('counts what cannot be read or answered as failed, prints why, and goes on', () => {
    const cases = ['{"id":', '7', '{"id":"x","kind":"version","input":"1"}', '{"id":"y","expected":{}}'];
    const missing = { id: 'z', installed: { project: 'a' }, xml: 'none.xml', expected: { status: 'UNKNOWN' } };
    put('cases-a.jsonl', [...cases, JSON.stringify(missing), JSON.stringify(version)].join('\n'));
    put('cases-b.jsonl.gz', gzipSync('{}').subarray(0, 12));
    const { code, lines } = run();
    expect(code).toBe(1);
    expect(lines.slice(0, 6).map((line) => line.split(':')[0])).toEqual([
      ...['line 1', 'line 2', 'line 3'].map((line) => `cases-a.jsonl ${line} case`),
      ...['y', 'z'].map((id) => `cases-a.jsonl ${id} exception`),
      'cases-b.jsonl.gz the file case',
    ]);
    expect(lines.slice(6)).toEqual([
      'cases-a.jsonl: 1 passed, 5 failed',
      'cases-b.jsonl.gz: 0 passed, 1 failed',
      'total: 1 passed, 6 failed',
    ]);
  });

  test('without a case proves nothing, and says so', () => {
    expect(run()).toMatchObject({ code: 2, lines: [expect.stringContaining('holds no cases')] });
    put('cases-a.jsonl', '\n');
    expect(run()).toMatchObject({ code: 2, lines: [expect.stringContaining('hold no case')] });
  });

  test('has every difference printed', () => {
    const wrong = { ...version, expected: { as_branch: { valid: true } } };
    put('cases-a.jsonl', Array.from({ length: 120 }, () => JSON.stringify(wrong)).join('\n'));
    const { code, lines } = run();
    expect(code).toBe(1);
    expect(lines.filter((line) => line.includes('as_branch.valid: expected true, got false'))).toHaveLength(120);
  });

  test('has core 11’s table of coverage, where a case names no other', () => {
    const installed = { project: 'drupal', version: '10.5.0' };
    const coverage = (info: object) => ({ installed, xml: 'core.xml', expected: { coverage: { info } } });
    put('xml/core.xml', HISTORY);
    const ten = { security_coverage_end_date: '2026-06-17', security_coverage_ending_warn_date: '2025-12-10' };
    const eleven = { security_coverage_end_version: '10.7.0', additional_minors_coverage: 2 };
    put(
      'cases-a.jsonl',
      [coverage(eleven), { ...coverage(eleven), core_code: '11.x' }, { ...coverage(ten), core_code: '10.6.x' }]
        .map((item) => JSON.stringify(item))
        .join('\n'),
    );
    expect(run()).toMatchObject({ code: 0 });
  });
});
