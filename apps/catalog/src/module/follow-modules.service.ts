import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { moduleReleasesChanged } from '#libs/contracts';
import { OUTBOX, type Outbox } from '#libs/outbox';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../clock.js';
import { DeclaredNamesService } from '../custom-module/declared-names.service.js';
import { SyncScheduleService } from '../sync/sync-schedule.service.js';
import { ModuleRepository, type NamedModule } from './module.repository.js';

/** Names that can be a project's on Drupal.org. Any other comes from a site's own code and is not worth, nor fit for, a request. */
const PROJECT_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

/** Begins and ends to follow modules: registers them and makes them due at once. */
@Injectable()
export class FollowModulesService {
  constructor(
    @Inject(OUTBOX) private readonly outbox: Outbox,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly modules: ModuleRepository,
    private readonly schedule: SyncScheduleService,
    private readonly declared: DeclaredNamesService,
  ) {}

  /** A module that is followed already changes nothing. */
  async follow(tx: EntityManager, seen: readonly { readonly module: string; readonly type: string }[]): Promise<void> {
    const now = this.clock.now();
    const distinct = [...new Map(seen.map((module) => [module.module, module])).values()];
    const own = await this.declared.ownAmong(
      tx,
      distinct.map(({ module }) => module),
    );
    const added = await this.modules.register(tx, distinct, now);
    const canBeAsked = ({ module }: NamedModule) => PROJECT_NAME.test(module) && !own.has(module);
    await this.schedule.follow(tx, added.filter(canBeAsked), now);
    await this.settleUnasked(
      tx,
      added.filter((module) => !canBeAsked(module)),
      now,
    );
  }

  /**
   * What organizations declare as their own has changed, or Drupal.org is known to have a project after all: of `modules` that sites run,
   * those that are an organization's own are asked for no more, the others are asked for.
   */
  async reconsider(tx: EntityManager, modules: readonly string[]): Promise<void> {
    if (modules.length === 0) return;
    const now = this.clock.now();
    const own = await this.declared.ownAmong(tx, modules);
    const registered = await this.modules.named(tx, modules);
    await this.schedule.leave(tx, [...own].sort());
    await this.settleUnasked(
      tx,
      registered.filter(({ module, revision }) => own.has(module) && revision === 0),
      now,
    );
    await this.schedule.follow(
      tx,
      registered.filter(({ module }) => PROJECT_NAME.test(module) && !own.has(module)),
      now,
    );
  }

  /** What is not asked for is answered for: nobody shall wait for its history. */
  private async settleUnasked(tx: EntityManager, modules: readonly NamedModule[], now: Date): Promise<void> {
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
