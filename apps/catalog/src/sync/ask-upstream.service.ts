import { Inject, Injectable } from '@nestjs/common';
import { LookAtAdvisoriesService, type AdvisoryNews } from '../advisory/look-at-advisories.service.js';
import { UnreadableFeedError } from '../advisory/feed-reader.js';
import { FetchModuleService, type ModuleAnswer } from '../module/fetch-module.service.js';
import type { Timers } from '../timers.js';
import { FetchFailure } from '../upstream/fetch-failure.js';
import { UPSTREAM } from '../upstream/upstream.tokens.js';
import type { UpstreamParts } from '../upstream/upstream-parts.js';
import type { Beat } from './beat.js';
import type { Claimed, ClaimedFeed, ClaimedModule, SyncFailure } from './subject.js';

/** A claimed subject and what asking for it brought. */
export type Answered = AnsweredModule | { readonly claimed: ClaimedFeed; readonly answer: FeedAnswer };
export type AnsweredModule = { readonly claimed: ClaimedModule; readonly answer: ModuleAnswer };

export type FeedAnswer =
  | { readonly kind: 'not_modified' }
  | { readonly kind: 'read'; readonly news: AdvisoryNews }
  | { readonly kind: 'failed'; readonly failure: SyncFailure };

/** Asks upstream for one claimed subject, whichever kind it is. */
@Injectable()
export class AskUpstreamService {
  constructor(
    @Inject(UPSTREAM) private readonly upstream: UpstreamParts,
    private readonly modules: FetchModuleService,
    private readonly advisories: LookAtAdvisoriesService,
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

  /** Kinds whose host may be asked now. */
  askableKinds(): string[] {
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
