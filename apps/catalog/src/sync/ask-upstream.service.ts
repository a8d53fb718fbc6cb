import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { LookAtAdvisoriesService, type AdvisoryNews } from '../advisory/look-at-advisories.service.js';
import { UnreadableFeedError } from '../advisory/feed-reader.js';
import { FetchModuleService, type ModuleAnswer } from '../module/fetch-module.service.js';
import type { Timers } from '../timers.js';
import { FetchFailure } from '../upstream/fetch-failure.js';
import { UPSTREAM } from '../upstream/upstream.tokens.js';
import type { UpstreamParts } from '../upstream/upstream-parts.js';
import type { Beat } from './beat.js';
import { SyncStateRepository } from './sync-state.repository.js';
import { UpstreamBudgetRepository } from './upstream-budget.repository.js';
import type { Claimed, ClaimedFeed, ClaimedModule, SyncFailure } from './subject.js';

/** A claimed subject and what asking for it brought. */
export type Answered = AnsweredModule | { readonly claimed: ClaimedFeed; readonly answer: FeedAnswer };
export type AnsweredModule = { readonly claimed: ClaimedModule; readonly answer: ModuleAnswer };

export type FeedAnswer =
  | { readonly kind: 'not_modified' }
  | { readonly kind: 'read'; readonly news: AdvisoryNews }
  | { readonly kind: 'failed'; readonly failure: SyncFailure };

/** Takes what is due and asks upstream for it, whichever kind it is. */
@Injectable()
export class AskUpstreamService {
  constructor(
    @Inject(UPSTREAM) private readonly upstream: UpstreamParts,
    private readonly modules: FetchModuleService,
    private readonly advisories: LookAtAdvisoriesService,
    private readonly states: SyncStateRepository,
    private readonly budgets: UpstreamBudgetRepository,
  ) {}

  get beat(): Beat {
    return this.upstream.beat;
  }

  get timers(): Timers {
    return this.upstream.timers;
  }

  get concurrency(): number {
    return this.upstream.settings.concurrency;
  }

  /** Takes what is due, as far as its host may be asked: none while it is left alone; all replicas share what it may get. */
  async claim(
    tx: EntityManager,
    claim: { readonly owner: string; readonly now: Date; readonly leaseUntil: Date; readonly limit: number },
  ): Promise<Claimed[]> {
    const { settings, beat } = this.upstream;
    const kinds = this.askableKinds();
    if (kinds.length === 0) return [];
    if (!settings.sharedRate || !kinds.includes('module')) return await this.states.claim(tx, { ...claim, kinds });
    const host = new URL(settings.historyBase).host;
    const rate = { host, ratePerSecond: settings.ratePerSecond, horizonMs: 2 * beat.pollMs };
    const left = await this.budgets.left(tx, rate, claim.now);
    const claimed = await this.states.claim(
      tx,
      left > 0
        ? { ...claim, kinds, limit: Math.min(claim.limit, left) }
        : { ...claim, kinds: kinds.filter((kind) => kind !== 'module') },
    );
    const modules = claimed.filter(({ kind }) => kind === 'module').length;
    if (modules > 0) await this.budgets.take(tx, rate, modules, claim.now);
    return claimed;
  }

  private askableKinds(): string[] {
    const { client, settings } = this.upstream;
    return [
      ...(client.pausedForMs(settings.historyBase) === 0 ? ['module'] : []),
      ...(client.pausedForMs(settings.advisoryBase) === 0 ? ['advisories', 'archive'] : []),
    ];
  }

  async ask(claimed: Claimed): Promise<Answered> {
    if (claimed.kind === 'module') return { claimed, answer: await this.modules.fetch(claimed) };
    return { claimed, answer: await this.askFeed(claimed) };
  }

  private async askFeed({ kind }: ClaimedFeed): Promise<FeedAnswer> {
    try {
      const news = await this.advisories.look(kind === 'archive' ? 'archive' : 'feed');
      return news ? { kind: 'read', news } : { kind: 'not_modified' };
    } catch (error) {
      if (error instanceof FetchFailure) {
        const { code, message: detail, details } = error;
        return { kind: 'failed', failure: { code, detail, retryAfterMs: details.retryAfterMs ?? null } };
      }
      if (error instanceof UnreadableFeedError) {
        return { kind: 'failed', failure: { code: error.code, detail: error.message, retryAfterMs: null } };
      }
      throw error;
    }
  }
}
