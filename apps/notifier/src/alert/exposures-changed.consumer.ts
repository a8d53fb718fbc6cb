import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { exposuresChanged, QUEUES, type ExposuresChanged } from '#libs/contracts';
import { QueueHandler } from '#libs/outbox';
import { systemClock } from '#libs/runtime';
import type { BatchContext, BatchHandler, Delivered } from '#libs/streams';
import { SendMailService } from '../delivery/send-mail.service.js';
import { AlertPeopleService } from './alert-people.service.js';

@Injectable()
@QueueHandler(QUEUES.notifierExposures)
export class ExposuresChangedConsumer implements BatchHandler<EntityManager, ExposuresChanged> {
  readonly handles = [exposuresChanged];

  constructor(
    private readonly service: AlertPeopleService,
    private readonly sender: SendMailService,
  ) {}

  async handle(
    tx: EntityManager,
    messages: readonly Delivered<ExposuresChanged>[],
    batch: BatchContext,
  ): Promise<void> {
    const written = await this.service.alert(
      tx,
      messages.map(({ envelope, data }) => ({ messageId: envelope.id, body: data })),
      systemClock.now(),
    );
    if (written > 0) batch.afterCommit(() => this.sender.nudge());
  }
}
