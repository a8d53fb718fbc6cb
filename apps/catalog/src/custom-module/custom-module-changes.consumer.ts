import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { customModuleChanged, QUEUES, type CustomModuleChanged } from '#libs/contracts';
import { QueueHandler } from '#libs/outbox';
import type { BatchContext, BatchHandler, Delivered } from '#libs/streams';
import { SyncLoopService } from '../sync/sync-loop.service.js';
import { TakeCustomModulesService } from './take-custom-modules.service.js';

/** Modules that organizations declare, change and remove as their own. */
@QueueHandler(QUEUES.catalogModules)
@Injectable()
export class CustomModuleChangesConsumer implements BatchHandler<EntityManager, CustomModuleChanged> {
  readonly handles = [{ type: customModuleChanged.type, version: customModuleChanged.version }];

  constructor(
    private readonly customModules: TakeCustomModulesService,
    private readonly loop: SyncLoopService,
  ) {}

  async handle(
    tx: EntityManager,
    messages: readonly Delivered<CustomModuleChanged>[],
    batch: BatchContext,
  ): Promise<void> {
    await this.customModules.take(
      tx,
      messages.map(({ data }) => data),
    );
    batch.afterCommit(() => this.loop.nudge());
  }
}
