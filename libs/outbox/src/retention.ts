import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource, EntityManager } from 'typeorm';
import { ConfigError, counter, metrics, type Counter, type Logger, type ServiceConfig } from '#libs/runtime';
import type { SideWork } from './side-work.js';

/** A table that does not keep everything. */
export interface RetentionRule {
  /** As it is shown in logs and metrics. */
  readonly table: string;
  /** Days that are kept; 0: all. */
  readonly days: number;
  /** Removes up to `limit` of what is older than `before`, in one short transaction. @returns how many. */
  readonly remove: (manager: EntityManager, before: Date, limit: number) => Promise<number>;
}

const DAY_MS = 86_400_000;
const EVERY_MS = 6 * 3_600_000;
const BATCH = 5_000;
/** Between two batches, so that whoever works has the disk for himself most of the time. */
const PAUSE_MS = 100;

/** @returns the days that the setting `name` says to keep. @throws ConfigError unless it is a whole number from 0 (keep all) to 3650. */
export function daysToKeep(config: ServiceConfig, name: string, fallback: number): number {
  const value = config.env[name];
  if (value === undefined || value === '') return fallback;
  if (!/^\d{1,4}$/.test(value) || Number(value) > 3_650) {
    throw new ConfigError(config.service, [
      `${name} must be a whole number of days from 0 (keep everything) to 3650, not "${value}"`,
    ]);
  }
  return Number(value);
}

/**
 * Lets go of what is older than its rule says: soon after the start and four times a day, in small batches. Several processes of a service may do
 * so at once. A failure costs nothing but time: the next look takes what was left.
 */
export class Retention implements SideWork {
  private readonly stopping = new AbortController();
  private readonly removed: Counter<'table'>;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly dataSource: DataSource,
    private readonly rules: readonly RetentionRule[],
    service: string,
    private readonly logger: Logger,
  ) {
    this.removed = counter(metrics(service), {
      name: 'patchwatch_retention_removed_total',
      help: 'Rows (of partitioned tables: partitions) that were let go because of their age',
      labelNames: ['table'],
    });
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** One look at every table. @returns how much went, by table. */
  async sweep(now: Date): Promise<Readonly<Record<string, number>>> {
    const gone: Record<string, number> = {};
    for (const { table, days, remove } of this.rules) {
      if (days === 0 || this.stopping.signal.aborted) continue;
      const before = new Date(now.getTime() - days * DAY_MS);
      try {
        for (let count = BATCH; count >= BATCH && !this.stopping.signal.aborted;) {
          count = await remove(this.dataSource.manager, before, BATCH);
          gone[table] = (gone[table] ?? 0) + count;
          this.removed.inc({ table }, count);
          if (count >= BATCH) await this.pause(PAUSE_MS);
        }
        if (gone[table]) this.logger.info({ table, removed: gone[table], before }, 'old rows were let go');
      } catch (error) {
        this.logger.warn({ err: error, table }, 'old rows could not be let go; the next look tries again');
      }
    }
    return gone;
  }

  private async run(): Promise<void> {
    // Not all processes at once, and not while they start.
    await this.pause(60_000 + Math.random() * 240_000);
    while (!this.stopping.signal.aborted) {
      await this.sweep(new Date());
      await this.pause(EVERY_MS);
    }
  }

  private async pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.stopping.signal, ref: false }).catch(() => undefined);
  }
}
