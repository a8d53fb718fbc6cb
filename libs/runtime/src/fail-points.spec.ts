import { beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigError, loadConfig } from './config.js';
import { failPoints, FailPointError } from './fail-points.js';
import type { FailPointEffects, FailPoints } from './fail-points.js';

describe('failPoints', () => {
  let done: string[];
  const effects: FailPointEffects = {
    signal: (signal) => done.push(signal),
    sleep: async (ms) => void done.push(`slept ${ms}`),
    burn: (ms) => done.push(`burnt ${ms}`),
  };
  const pointsFor = (rules: string): FailPoints => failPoints({ PATCHWATCH_FAIL_POINTS: rules }, effects)!;

  beforeEach(() => {
    done = [];
  });

  it('are not there at all unless the setting is', () => {
    expect(failPoints({}, effects)).toBeNull();
    expect(failPoints({ PATCHWATCH_FAIL_POINTS: '' }, effects)).toBeNull();
  });

  it('do nothing at points, and about things, that no rule names', async () => {
    const points = pointsFor('batch.committed=kill~ingest');
    await points.reach('batch.read', 'ingest.pushes');
    await points.reach('batch.committed', 'reporting.inventory');
    expect(done).toEqual([]);
    await points.reach('batch.committed', 'ingest.pushes');
    expect(done).toEqual(['SIGKILL']);
  });

  it('act the nth time, or every nth time', async () => {
    const points = pointsFor('a=stop@2;b=delay:30%2');
    for (let i = 0; i < 4; i++) await points.reach('a', '');
    expect(done).toEqual(['SIGSTOP']);
    for (let i = 0; i < 4; i++) await points.reach('b', '');
    expect(done).toEqual(['SIGSTOP', 'slept 30', 'slept 30']);
  });

  it('throw an error that says where it comes from, and burn time', async () => {
    const points = pointsFor('a=throw;b=burn:40');
    await expect(points.reach('a', '')).rejects.toThrow(FailPointError);
    await points.reach('b', '');
    expect(done).toEqual(['burnt 40']);
  });

  it('refuse to be active in production: the service does not start', () => {
    const env = {
      NODE_ENV: 'production',
      PATCHWATCH_FAIL_POINTS: 'a=kill',
      PATCHWATCH_DATABASE_URL: 'postgres://localhost/x',
      PATCHWATCH_STREAMS_URL: 'redis://localhost',
    };
    expect(() => failPoints(env, effects)).toThrow('must not be set in production');
    expect(() => loadConfig('ingest', env)).toThrow(ConfigError);
    expect(() => loadConfig('ingest', { ...env, NODE_ENV: 'test' })).not.toThrow();
  });

  it.each(['kill', 'a=explode', 'a=kill@', 'A=kill', 'a=kill;;b=kill'])(
    'refuse a rule that cannot be read: %s',
    (rules) => {
      expect(() => pointsFor(rules)).toThrow('cannot be read');
    },
  );
});
