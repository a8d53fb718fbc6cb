import { describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { createLogger, ConfigError, metrics, type ServiceConfig } from '#libs/runtime';
import { daysToKeep, Retention, type RetentionRule } from './retention.js';

const NOW = new Date('2026-05-20T00:00:00Z');
const logger = createLogger('spec', { level: 'silent' });

function retention(...rules: RetentionRule[]): Retention {
  return new Retention({ manager: {} } as DataSource, rules, 'retention-spec', logger);
}

describe('what is let go', () => {
  it('goes batch by batch until a batch is not full, and is counted', async () => {
    const batches = [5_000, 5_000, 7];
    const asked: [Date, number][] = [];
    const gone = await retention({
      table: 'receipts',
      days: 30,
      remove: (_manager, before, limit) => {
        asked.push([before, limit]);
        return Promise.resolve(batches[asked.length - 1] ?? 0);
      },
    }).sweep(NOW);
    expect(gone).toEqual({ receipts: 10_007 });
    expect(asked).toEqual(Array(3).fill([new Date('2026-04-20T00:00:00Z'), 5_000]));
    const metric = await metrics('retention-spec').getSingleMetricAsString('patchwatch_retention_removed_total');
    expect(metric).toMatch(/table="receipts".* 10007/);
  });

  it('is nothing where everything is kept, and one table that fails keeps no other from it', async () => {
    const remove = () => Promise.resolve(1);
    const gone = await retention(
      { table: 'kept', days: 0, remove },
      { table: 'broken', days: 1, remove: () => Promise.reject(new Error('no')) },
      { table: 'fine', days: 1, remove },
    ).sweep(NOW);
    expect(gone).toEqual({ fine: 1 });
  });

  it('ends at once when the service stops', async () => {
    const endless = retention({ table: 'endless', days: 1, remove: () => Promise.resolve(5_000) });
    endless.start();
    const sweeping = endless.sweep(NOW);
    await endless.stop();
    expect((await sweeping)['endless']).toBeGreaterThan(0);
  });
});

describe('the days to keep', () => {
  const config = (value?: string) => ({ service: 'ingest', env: { DAYS: value } }) as unknown as ServiceConfig;

  it('are the default unless they are set', () => {
    expect(daysToKeep(config(), 'DAYS', 90)).toBe(90);
    expect(daysToKeep(config(''), 'DAYS', 90)).toBe(90);
    expect(daysToKeep(config('0'), 'DAYS', 90)).toBe(0);
    expect(daysToKeep(config('7'), 'DAYS', 90)).toBe(7);
  });

  it('must be whole and possible', () => {
    for (const value of ['-1', '1.5', 'a week', '3651', '99999'])
      expect(() => daysToKeep(config(value), 'DAYS', 90)).toThrow(ConfigError);
  });
});
