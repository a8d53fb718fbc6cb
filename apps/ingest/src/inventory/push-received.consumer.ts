import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { pushReceived, QUEUES, type PushReceivedMeta } from '#libs/contracts';
import { QueueHandler } from '#libs/outbox';
import { metrics, systemClock } from '#libs/runtime';
import type { BatchContext, BatchHandler, Delivered } from '#libs/streams';
import { settledPushMetrics } from '../receipt/settled-push-metrics.js';
import { ApplyInventoriesService, type ReceivedPush } from './apply-inventories.service.js';
import { KnownInventoriesService } from './known-inventories.service.js';

/** Takes pushes from the queue, a batch at a time. Facts are in the envelope's `meta`; the body stays as the site sent it. */
@Injectable()
@QueueHandler(QUEUES.ingestPushes)
export class PushReceivedConsumer implements BatchHandler<EntityManager, PushReceivedMeta> {
  readonly handles = [pushReceived];
  private readonly count = settledPushMetrics(metrics('ingest'));

  constructor(
    private readonly service: ApplyInventoriesService,
    private readonly knownInventories: KnownInventoriesService,
  ) {}

  async handle(
    tx: EntityManager,
    messages: readonly Delivered<PushReceivedMeta>[],
    batch: BatchContext,
  ): Promise<void> {
    const byPush = new Map(messages.map((message) => [receivedPush(message), message]));
    const outcome = await this.service.apply(tx, [...byPush.keys()], systemClock.now());
    for (const { push, code, detail } of outcome.failures) batch.fail(byPush.get(push)!, code, detail);
    batch.afterCommit(() => {
      outcome.afterCommit();
      this.count(outcome.settled);
      return this.knownInventories.tell(outcome.knownInventories);
    });
  }

  /** Its receipt or its letter may stand already, written by a process that died before it could acknowledge: it must not be buried, too. */
  wasApplied(tx: EntityManager, message: Delivered<PushReceivedMeta>): Promise<boolean> {
    return this.service.hasEnded(tx, receivedPush(message));
  }
}

function receivedPush({ envelope, data }: Delivered<PushReceivedMeta>): ReceivedPush {
  return {
    kind: data.kind,
    pushId: data.push_id.toLowerCase(),
    siteId: data.site_id,
    siteUuid: data.site_uuid.toLowerCase(),
    organizationId: data.organization_id,
    epoch: data.epoch,
    sequence: data.sequence,
    complete: data.complete,
    collectedAt: Date.parse(data.collected_at),
    receivedAt: Date.parse(data.received_at),
    reportedHash: data.inventory_hash,
    messageId: envelope.id,
    correlationId: envelope.correlationId,
    contentEncoding: envelope.contentEncoding,
    body: envelope.body,
  };
}
