import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { dataErased, ERASING_SERVICES, QUEUES, type DataErased } from '#libs/contracts';
import { QueueHandler } from '#libs/outbox';
import type { BatchHandler, Delivered } from '#libs/streams';
import { HearAnswers } from './hear-answers.service.js';

/** What the other services erased. */
@Injectable()
@QueueHandler(QUEUES.gatewayErasures)
export class DataErasedConsumer implements BatchHandler<EntityManager, DataErased> {
  readonly handles = Object.values(dataErased).map(({ type, version }) => ({ type, version }));

  constructor(private readonly answers: HearAnswers) {}

  async handle(tx: EntityManager, messages: readonly Delivered<DataErased>[]): Promise<void> {
    for (const { envelope, data } of messages) {
      const service = ERASING_SERVICES.find((one) => dataErased[one].type === envelope.type);
      await this.answers.hear(tx, service!, data);
    }
  }
}
