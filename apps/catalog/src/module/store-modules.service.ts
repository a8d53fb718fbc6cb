import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { moduleReleasesChanged } from '#libs/contracts';
import { OUTBOX, type Outbox } from '#libs/outbox';
import { SyncScheduleService } from '../sync/sync-schedule.service.js';
import type { Validators } from '../upstream/upstream-port.js';
import type { ModuleAnswer } from './fetch-module.service.js';
import { ModuleRepository } from './module.repository.js';

/** Good news of modules, into the tables and out as events; all in one transaction. */
@Injectable()
export class StoreModulesService {
  constructor(
    @Inject(OUTBOX) private readonly outbox: Outbox,
    private readonly modules: ModuleRepository,
    private readonly schedule: SyncScheduleService,
  ) {}

  async store(
    tx: EntityManager,
    answers: readonly { readonly moduleId: number; readonly answer: ModuleAnswer }[],
    now: Date,
  ): Promise<void> {
    const contents = answers.flatMap(({ moduleId, answer }) =>
      answer.kind === 'changed' ? [{ moduleId, ...answer }] : [],
    );
    await this.modules.confirm(
      tx,
      answers.flatMap(({ moduleId, answer }): { moduleId: number; validators: Validators | null }[] => {
        if (answer.kind === 'not_modified') return [{ moduleId, validators: null }];
        return answer.kind === 'unchanged' ? [{ moduleId, validators: answer.validators }] : [];
      }),
      now,
    );
    if (contents.length === 0) return;
    const revisions = await this.modules.replaceContent(tx, contents, now);
    const withNewSecurity = await this.modules.replaceReleases(tx, contents, now);
    await this.outbox.add(
      tx,
      contents.map(({ moduleId, history }) => {
        const { module, revision } = revisions.get(moduleId)!;
        return {
          event: moduleReleasesChanged,
          organizationId: null,
          key: module,
          body: { module, revision, known_at: now.toISOString(), outcome: history ? 'ok' : 'not_found', history },
          occurredAt: now,
        };
      }),
    );
    // A fix seldom comes without an advisory. Of a module that is read for the first time, all fixes are new, and none is news.
    const news = [...withNewSecurity].some((moduleId) => revisions.get(moduleId)!.revision > 1);
    if (news) await this.schedule.hastenAdvisories(tx, now);
  }
}
