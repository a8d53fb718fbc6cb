import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConfigError, loadConfig } from './index.js';

const SECRET = 'x'.repeat(32);
const GIVEN = {
  PATCHWATCH_DATABASE_URL: 'postgres://app:pw@127.0.0.1/patchwatch',
  PATCHWATCH_STREAMS_URL: 'redis://127.0.0.1:6379',
  PATCHWATCH_JWT_SECRET: SECRET,
  PATCHWATCH_PEPPER: SECRET,
};

describe('loadConfig', () => {
  it('listens on loopback, port 8080 for the gateway, and uses the streams Redis as cache when no other is given', () => {
    const config = loadConfig('gateway', GIVEN);
    expect(config).toMatchObject({ host: '127.0.0.1', port: 8080, partitions: 1, cacheUrl: 'redis://127.0.0.1:6379' });
  });

  it("prefers the service's own database URL", () => {
    const own = 'postgres://patchwatch_ingest:pw@127.0.0.1/patchwatch';
    expect(loadConfig('ingest', { ...GIVEN, PATCHWATCH_INGEST_DATABASE_URL: own }).databaseUrl).toBe(own);
  });

  it('names everything that is wrong at once, and repeats no value that may hold a password', () => {
    const load = (): unknown =>
      loadConfig('gateway', {
        PATCHWATCH_DATABASE_URL: 'mysql://u:hidden@h/d',
        PATCHWATCH_PORT: '80x',
        PATCHWATCH_PEPPER: 'short',
      });
    expect(load).toThrow(ConfigError);
    const problems = catchProblems(load);
    expect(problems).toEqual([
      'PATCHWATCH_DATABASE_URL must begin with postgres://',
      'PATCHWATCH_STREAMS_URL is missing',
      'PATCHWATCH_PORT must be a whole number from 0 to 65535, not "80x"',
      'PATCHWATCH_JWT_SECRET is missing (or the file jwt-secret in PATCHWATCH_SECRETS_DIR)',
      'PATCHWATCH_PEPPER is shorter than 32 characters',
    ]);
  });

  it('takes sentinels and a cluster for the streams; the cache, which is one server, must then be given', () => {
    const cluster = 'redis+cluster://127.0.0.1:7001,127.0.0.1:7002';
    const load = (env: Record<string, string>) => () => loadConfig('ingest', { ...GIVEN, ...env });
    expect(catchProblems(load({ PATCHWATCH_STREAMS_URL: cluster }))).toEqual([
      expect.stringContaining('PATCHWATCH_CACHE_URL must be one server or sentinels'),
    ]);
    const both = load({ PATCHWATCH_STREAMS_URL: cluster, PATCHWATCH_CACHE_URL: 'redis://127.0.0.1:6379' })();
    expect(both).toMatchObject({ streamsUrl: cluster, cacheUrl: 'redis://127.0.0.1:6379', streamsReplicas: 0 });
    const sentinel = 'redis+sentinel://127.0.0.1:26379/patchwatch';
    expect(load({ PATCHWATCH_STREAMS_URL: sentinel, PATCHWATCH_STREAMS_REPLICAS: '1' })()).toMatchObject({
      cacheUrl: sentinel,
      streamsReplicas: 1,
    });
    expect(catchProblems(load({ PATCHWATCH_STREAMS_URL: 'redis+sentinel://:hidden@127.0.0.1' }))).toEqual([
      'PATCHWATCH_STREAMS_URL lacks the name of the master that the sentinels watch: …/<master>',
    ]);
  });

  it('reads secrets from files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'patchwatch-secrets-'));
    writeFileSync(join(folder, 'jwt-secret'), `${'j'.repeat(40)}\n`);
    writeFileSync(join(folder, 'pepper'), 'p'.repeat(40));
    const env = { ...GIVEN, PATCHWATCH_JWT_SECRET: '', PATCHWATCH_PEPPER: '', PATCHWATCH_SECRETS_DIR: folder };
    expect(loadConfig('gateway', env).secrets).toEqual({ jwtSecret: 'j'.repeat(40), pepper: 'p'.repeat(40) });
  });

  it('asks secrets of the gateway only', () => {
    expect(() => loadConfig('ingest', { ...GIVEN, PATCHWATCH_JWT_SECRET: '', PATCHWATCH_PEPPER: '' })).not.toThrow();
  });
});

function catchProblems(load: () => unknown): readonly string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
  }
  return [];
}
