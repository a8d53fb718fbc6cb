import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { advisoryChanged, customReleasesChanged, moduleReleasesChanged, QUEUES } from '#libs/contracts';
import type { AdvisoryChanged, CustomReleasesChanged, ModuleReleasesChanged } from '#libs/contracts';
import { QueueHandler } from '#libs/outbox';
import type { BatchHandler, Delivered } from '#libs/streams';
import { AssessModulesService } from './assess-modules.service.js';

/** Release histories, those of organizations' own modules too, and advisories, as the catalog tells of them. */
@QueueHandler(QUEUES.reportingCatalog)
@Injectable()
export class CatalogChangesConsumer implements BatchHandler<EntityManager> {
  readonly handles = [moduleReleasesChanged, advisoryChanged, customReleasesChanged].map(({ type, version }) => ({
    type,
    version,
  }));

  constructor(private readonly modules: AssessModulesService) {}

  async handle(tx: EntityManager, messages: readonly Delivered[]): Promise<void> {
    const bodies = (type: string) =>
      messages.filter((message) => message.envelope.type === type).map(({ data }) => data);
    await this.modules.assess(
      tx,
      bodies(moduleReleasesChanged.type) as ModuleReleasesChanged[],
      bodies(advisoryChanged.type) as AdvisoryChanged[],
      bodies(customReleasesChanged.type) as CustomReleasesChanged[],
    );
  }
}
