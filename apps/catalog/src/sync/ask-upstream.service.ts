import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../clock.js';
import { SyncAdvisoriesService, type FeedNews } from '../advisory/sync-advisories.service.js';
import { UnreadableFeedError } from '../advisory/feed-reader.js';
import { FetchModuleService, type ModuleAnswer } from '../module/fetch-module.service.js';
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
  | { readonly kind: 'read'; readonly news: FeedNews }
  | { readonly kind: 'failed'; readonly failure: SyncFailure };

/** Asks upstream for one claimed subject, whichever kind it is. */
@Injectable()
export class AskUpstreamService {
  constructor(
    @Inject(UPSTREAM) private readonly upstream: UpstreamParts,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly dataSource: DataSource,
    private readonly modules: FetchModuleService,
    private readonly advisories: SyncAdvisoriesService,
  ) {}

  get beat(): Beat {
    return this.upstream.beat;
  }

  get concurrency(): number {
    return this.upstream.settings.concurrency;
  }

  /** Kinds whose host may be asked now. */
  askableKinds(): string[] {
    const { client, settings } = this.upstream;
    return [
      ...(client.pausedForMs(settings.historyBase) === 0 ? ['module'] : []),
      ...(client.pausedForMs(settings.advisoryBase) === 0 ? ['advisories'] : []),
    ];
  }

  async ask(claimed: Claimed): Promise<Answered> {
    if (claimed.kind === 'module') return { claimed, answer: await this.modules.fetch(claimed) };
    return { claimed, answer: await this.askFeed() };
  }

  private async askFeed(): Promise<FeedAnswer> {
    try {
      const news = await this.advisories.look(this.dataSource.manager, this.clock.now());
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
