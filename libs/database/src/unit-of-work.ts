import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource, EntityManager } from 'typeorm';
import type { UnitOfWork } from '#libs/streams';
import { classifySqlError } from './sql-errors.js';

export interface UnitOfWorkOptions {
  /** How often the work is tried in all. Default 5. */
  readonly attempts?: number;
  /** Mean pause before the first repetition, in milliseconds; doubles with each. Default 10. */
  readonly pauseMs?: number;
}

/**
 * One transaction (read committed) per run. A serialization failure or a deadlock runs the whole `work` again in a fresh transaction: what it read
 * is void too. So `work` must have no effect outside the transaction.
 * A connection lost during COMMIT is not repeated here: nobody knows whether it committed; the caller's guards decide on redelivery.
 */
export class TypeOrmUnitOfWork implements UnitOfWork<EntityManager> {
  private readonly attempts: number;
  private readonly pauseMs: number;

  constructor(
    private readonly dataSource: DataSource,
    options: UnitOfWorkOptions = {},
  ) {
    this.attempts = options.attempts ?? 5;
    this.pauseMs = options.pauseMs ?? 10;
  }

  /** @throws what `work` or the database threw; after the last attempt the conflict itself. */
  async run<T>(work: (tx: EntityManager) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.once(work);
      } catch (error) {
        if (attempt >= this.attempts || classifySqlError(error) !== 'conflict') throw error;
        // Jittered: the two that met must not meet again.
        await delay(this.pauseMs * 2 ** (attempt - 1) * (0.5 + Math.random()));
      }
    }
  }

  /**
   * Not `dataSource.transaction()`: when the ROLLBACK fails, too, because the connection is gone, the first error must be the one that is thrown.
   */
  private async once<T>(work: (tx: EntityManager) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      await runner.startTransaction();
      const result = await work(runner.manager);
      await runner.commitTransaction();
      return result;
    } catch (error) {
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
      throw error;
    } finally {
      await runner.release().catch(() => undefined);
    }
  }
}
