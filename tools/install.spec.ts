import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const { whyInstall } = (await import(`${process.cwd()}/tools/install.mjs`)) as {
  whyInstall(root: string, what?: { dev?: boolean }): string | undefined;
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'patchwatch-install-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(wanted: unknown, present?: unknown): void {
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: wanted }));
  if (present === undefined) return;
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: present }));
}

describe('whyInstall', () => {
  const wanted = {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/other-platform': { version: '1.0.0', optional: true },
    'node_modules/asked-for-by-nobody': { version: '1.0.0', extraneous: true },
  };

  it('says nothing when node_modules holds what the lock file asks for on this platform', () => {
    write(wanted, { 'node_modules/a': { version: '1.0.0' } });
    expect(whyInstall(root)).toBeUndefined();
  });

  it('names what is missing or has another version', () => {
    write(wanted);
    expect(whyInstall(root)).toBe('nothing is installed yet');
    write(wanted, {});
    expect(whyInstall(root)).toBe('node_modules/a is missing');
    write(wanted, { 'node_modules/a': { version: '0.9.0' } });
    expect(whyInstall(root)).toBe('node_modules/a is 0.9.0 and should be 1.0.0');
  });

  it('leaves out what only tests need when nothing else is wanted', () => {
    const more = { ...wanted, 'node_modules/for-tests': { version: '1.0.0', dev: true } };
    write(more, { 'node_modules/a': { version: '1.0.0' } });
    expect(whyInstall(root, { dev: false })).toBeUndefined();
    expect(whyInstall(root)).toBe('node_modules/for-tests is missing');
    write(more, {});
    expect(whyInstall(root, { dev: false })).toBe('node_modules/a is missing');
  });

  it('does not go on without a lock file', () => {
    expect(() => whyInstall(root)).toThrow('package-lock.json is missing');
  });
});
