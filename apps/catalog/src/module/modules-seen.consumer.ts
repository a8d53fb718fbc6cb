import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { modulesSeen, QUEUES, type ModulesSeen } from '#libs/contracts';
import { QueueHandler } from '#libs/outbox';
import type { BatchContext, BatchHandler, Delivered } from '#libs/streams';
import { SyncLoopService } from '../sync/sync-loop.service.js';
import { FollowModulesService } from './follow-modules.service.js';

/** Modules that some site runs and that nobody ran before. */
@QueueHandler(QUEUES.catalogModules)
@Injectable()
export class ModulesSeenConsumer implements BatchHandler<EntityManager, ModulesSeen> {
  readonly handles = [{ type: modulesSeen.type, version: modulesSeen.version }];

  constructor(
    private readonly follow: FollowModulesService,
    private readonly loop: SyncLoopService,
  ) {}

  async handle(tx: EntityManager, messages: readonly Delivered<ModulesSeen>[], batch: BatchContext): Promise<void> {
    await this.follow.follow(
      tx,
      messages.flatMap(({ data }) => data.modules),
    );
    batch.afterCommit(() => this.loop.nudge());
  }
}
