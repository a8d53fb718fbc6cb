import { Inject, Injectable, type Type } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { dataErased, erasureDue, type ErasingService, type ErasureDue, type QueueDefinition } from '#libs/contracts';
import type { BatchHandler, Delivered } from '#libs/streams';
import { eraseRows } from './erase-rows.js';
import { OUTBOX } from './messaging.module.js';
import type { Outbox } from './ports.js';
import { QueueHandler } from './queue-handler.js';

/**
 * The part of `service` in an erasure, to be listed among its providers: what its schema holds of the subject goes, and its answer says what, in the
 * same transaction. Delivered again it finds nothing, and says so.
 */
export function erasesData(
  service: ErasingService,
  queue: QueueDefinition,
): Type<BatchHandler<EntityManager, ErasureDue>> {
  @Injectable()
  @QueueHandler(queue)
  class EraseDataConsumer implements BatchHandler<EntityManager, ErasureDue> {
    readonly handles = [{ type: erasureDue.type, version: erasureDue.version }];

    constructor(@Inject(OUTBOX) private readonly outbox: Outbox) {}

    async handle(tx: EntityManager, messages: readonly Delivered<ErasureDue>[]): Promise<void> {
      for (const { data } of messages) {
        const { erasure_id, round } = data;
        const { counts, more } = await eraseRows(tx, data.subject);
        await this.outbox.add(tx, [
          {
            event: dataErased[service],
            organizationId: null,
            key: erasure_id,
            body: { erasure_id, round, counts: { ...counts }, more },
          },
        ]);
      }
    }
  }
  return EraseDataConsumer;
}
