import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { moduleReleasesChanged } from '#libs/contracts';
import { OUTBOX, type Outbox } from '#libs/outbox';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../clock.js';
import { SyncScheduleService } from '../sync/sync-schedule.service.js';
import { ModuleRepository } from './module.repository.js';

/** Names that can be a project's on Drupal.org. Any other comes from a site's own code and is not worth, nor fit for, a request. */
const PROJECT_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

/** Begins to follow modules: registers them and makes them due at once. */
@Injectable()
export class FollowModulesService {
  constructor(
    @Inject(OUTBOX) private readonly outbox: Outbox,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly modules: ModuleRepository,
    private readonly schedule: SyncScheduleService,
  ) {}

  /** A module that is followed already changes nothing. */
  async follow(tx: EntityManager, seen: readonly { readonly module: string; readonly type: string }[]): Promise<void> {
    const now = this.clock.now();
    const distinct = [...new Map(seen.map((module) => [module.module, module])).values()];
    const added = await this.modules.register(tx, distinct, now);
    await this.schedule.follow(
      tx,
      added.filter(({ module }) => PROJECT_NAME.test(module)),
      now,
    );
    await this.settleImpossible(
      tx,
      added.filter(({ module }) => !PROJECT_NAME.test(module)),
      now,
    );
  }

  /** What cannot be a project is answered for without asking: nobody shall wait for its history. */
  private async settleImpossible(
    tx: EntityManager,
    modules: readonly { readonly moduleId: number; readonly module: string }[],
    now: Date,
  ): Promise<void> {
    const revisions = await this.modules.replaceContent(
      tx,
      modules.map(({ moduleId }) => ({
        moduleId,
        hash: '',
        validators: { etag: null, lastModified: null },
        history: null,
      })),
      now,
    );
    await this.outbox.add(
      tx,
      modules.map(({ moduleId, module }) => ({
        event: moduleReleasesChanged,
        organizationId: null,
        key: module,
        body: {
          module,
          revision: revisions.get(moduleId)!.revision,
          known_at: now.toISOString(),
          outcome: 'not_found',
          history: null,
        },
        occurredAt: now,
      })),
    );
  }
}
