import type { EntityManager } from 'typeorm';
import type { UnitOfWork } from '#libs/streams';
import type { TableOutbox } from './table-outbox.js';

/**
 * Tells the relay of this process right after a commit that left events behind, so that they need not wait for its next look.
 * A hint only: what it misses (another process's relay leads, a crash after the commit) the relay finds by looking.
 */
export class NudgingUnitOfWork implements UnitOfWork<EntityManager> {
  constructor(
    private readonly inner: UnitOfWork<EntityManager>,
    private readonly outbox: Pick<TableOutbox, 'hasWrittenIn'>,
    private readonly relay: { nudge(): void },
  ) {}

  async run<T>(work: (tx: EntityManager) => Promise<T>): Promise<T> {
    let committed: EntityManager | undefined;
    const result = await this.inner.run((tx) => {
      committed = tx;
      return work(tx);
    });
    if (committed !== undefined && this.outbox.hasWrittenIn(committed)) this.relay.nudge();
    return result;
  }
}
