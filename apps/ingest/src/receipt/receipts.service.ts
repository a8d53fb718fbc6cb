import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { together } from '../database/together.js';
import { RawPushesService } from '../raw-push/raw-pushes.service.js';
import type { RawPush } from '../raw-push/raw-push.repository.js';
import { ReceiptRepository, type FoundReceipt, type NewReceipt } from './receipt.repository.js';

/** Exactly one end for every accepted push id: a receipt here, or a dead letter. */
@Injectable()
export class ReceiptsService {
  constructor(
    private readonly receipts: ReceiptRepository,
    private readonly rawPushes: RawPushesService,
  ) {}

  /** Which pushes ended before, as `<site id> <push id>`; the answer holds while the sites are locked. */
  endedBefore(tx: EntityManager, pushes: readonly { siteId: number; pushId: string }[]): Promise<Set<string>> {
    return this.receipts.endedBefore(tx, pushes);
  }

  /** Settles pushes for good and keeps what was sent. */
  async record(tx: EntityManager, pushes: readonly (NewReceipt & RawPush)[], settledAt: Date): Promise<void> {
    await together([this.receipts.insert(tx, pushes, settledAt), this.rawPushes.keep(tx, pushes)]);
  }

  /**
   * Lets go of up to `limit` receipts settled before `before`. A push that comes again after that meets the version guard: it is older than
   * what stands, so it ends as superseded (or as the duplicate of what stands), and changes nothing.
   * @returns how many.
   */
  forget(manager: EntityManager, before: Date, limit: number): Promise<number> {
    return this.receipts.forget(manager, before, limit);
  }

  /** How one push ended; null: it has not. */
  find(manager: EntityManager, siteId: number, pushId: string): Promise<FoundReceipt | null> {
    return this.receipts.find(manager, siteId, pushId);
  }
}
