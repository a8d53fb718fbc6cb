import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { counter, metrics, type Logger } from '#libs/runtime';
import { LOGGER } from '../clock.js';
import { SyncAdvisoriesService, type StoredAdvisories } from '../advisory/sync-advisories.service.js';
import { StoreModulesService } from '../module/store-modules.service.js';
import { UPSTREAM } from '../upstream/upstream.tokens.js';
import type { UpstreamParts } from '../upstream/upstream-parts.js';
import type { Answered, AnsweredModule } from './ask-upstream.service.js';
import { dueAfterFailure, dueAfterSuccess } from './beat.js';
import type { Claimed } from './subject.js';
import { SyncStateRepository, type SyncResult } from './sync-state.repository.js';

const isModuleAnswer = (answered: Answered): answered is AnsweredModule => answered.claimed.kind === 'module';

/** Writes answers and decides when each subject is due again; also takes back leases. */
@Injectable()
export class SettleAnswersService {
  private readonly answered = counter(metrics('catalog'), {
    name: 'patchwatch_upstream_answers_total',
    help: 'What asking upstream brought, by kind of document, outcome and reason',
    labelNames: ['kind', 'outcome', 'code'],
  });

  constructor(
    @Inject(UPSTREAM) private readonly upstream: UpstreamParts,
    @Inject(LOGGER) private readonly log: Logger,
    private readonly modules: StoreModulesService,
    private readonly advisories: SyncAdvisoriesService,
    private readonly states: SyncStateRepository,
  ) {}

  async release(tx: EntityManager, owner: string, now: Date): Promise<void> {
    await this.states.release(tx, owner, now);
  }

  /** All of `batch` in `tx`. An answer whose lease has run out and was taken by another is dropped: the other's answer counts. */
  async settle(tx: EntityManager, owner: string, batch: readonly Answered[], now: Date): Promise<void> {
    const held = await this.states.held(
      tx,
      owner,
      batch.map(({ claimed }) => claimed.subject),
    );
    const mine = batch.filter(({ claimed }) => held.has(claimed.subject));
    await this.modules.store(
      tx,
      mine.flatMap((answered) =>
        isModuleAnswer(answered) ? [{ moduleId: answered.claimed.moduleId, answer: answered.answer }] : [],
      ),
      now,
    );
    const results: SyncResult[] = [];
    for (const answered of mine) {
      const { answer } = answered;
      const stored = answer.kind === 'read' ? await this.advisories.store(tx, answer.news, now) : null;
      results.push(this.resultOf(answered, stored, now));
    }
    await this.states.settle(tx, results, now);
    await this.states.keepFailures(tx, results, now);
    for (const { subject, outcome, code } of results) {
      this.answered.inc({ kind: subject.split(':')[0]!, outcome, code: code ?? '' });
    }
  }

  private resultOf({ claimed, answer }: Answered, stored: StoredAdvisories | null, now: Date): SyncResult {
    const { subject } = claimed;
    if (answer.kind === 'failed') {
      const { code, detail, retryAfterMs } = answer.failure;
      if (code === 'host_paused') {
        const nextDue = new Date(now.getTime() + (retryAfterMs ?? 0) + this.upstream.beat.retryMs * Math.random());
        return { subject, outcome: 'postponed', code, detail, nextDue };
      }
      this.log.warn({ subject, code, detail, failures: claimed.failures + 1 }, 'upstream gave no good answer');
      const row = { failures: claimed.failures + 1, retryAfterMs, usual: this.nextDue(claimed, false, now) };
      const nextDue = dueAfterFailure(this.upstream.beat.retryMs, row, now, Math.random());
      return { subject, outcome: 'failed', code, detail, nextDue };
    }
    const outcome = answer.kind === 'read' ? (stored && stored.changed > 0 ? 'changed' : 'unchanged') : answer.kind;
    return { subject, outcome, code: null, detail: null, nextDue: this.nextDue(claimed, stored?.unsure ?? false, now) };
  }

  /** @param unsure something is missing: look again soon */
  private nextDue(claimed: Claimed, unsure: boolean, now: Date): Date {
    const { beat } = this.upstream;
    if (claimed.kind !== 'module') {
      const pair = claimed.kind === 'archive' ? beat.archive : beat.advisories;
      const due = dueAfterSuccess(pair, now, Math.random());
      return unsure ? new Date(Math.min(due.getTime(), now.getTime() + beat.hotMs)) : due;
    }
    const due = dueAfterSuccess(claimed.module === 'drupal' ? beat.core : beat.module, now, Math.random());
    if (!claimed.hotUntil || claimed.hotUntil <= now) return due;
    return new Date(Math.min(due.getTime(), now.getTime() + beat.hotMs));
  }
}
