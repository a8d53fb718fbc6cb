import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../clock.js';
import { AdvisoryRepository, type SourceState } from './advisory.repository.js';
import type { AdvisorySource } from './combine-readings.js';
import { ReadFeedService } from './read-feed.service.js';
import type { SourceWalk } from './reconcile-advisories.js';
import { WalkArchiveService } from './walk-archive.service.js';

/** What a look at one source brought, ready to be written. */
export interface AdvisoryNews {
  readonly walk: SourceWalk & {
    /** When each advisory's node last changed, where the source says so. */
    readonly changedAt?: ReadonlyMap<string, Date>;
    /** Machine names of projects that were looked up, by number. */
    readonly projects?: ReadonlyMap<number, string>;
  };
  /** How far the source has been read. */
  readonly source: SourceState;
}

/** The archive is read to its end once a day: only so is a retraction of an old advisory seen. */
const WHOLE_WALK_EVERY_MS = 24 * 3_600_000;

/** Looks at one of the two sources of advisories; writes nothing. */
@Injectable()
export class LookAtAdvisoriesService {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly dataSource: DataSource,
    private readonly advisories: AdvisoryRepository,
    private readonly feed: ReadFeedService,
    private readonly archive: WalkArchiveService,
  ) {}

  /** @returns null when the source has not changed. @throws FetchFailure, UnreadableFeedError */
  async look(source: AdvisorySource): Promise<AdvisoryNews | null> {
    const readAt = this.clock.now();
    return source === 'feed' ? await this.lookAtFeed(readAt) : await this.lookAtArchive(readAt);
  }

  private async lookAtFeed(readAt: Date): Promise<AdvisoryNews | null> {
    const reader = this.dataSource.manager;
    const state = await this.advisories.source(reader, 'feed');
    const pending = await this.advisories.pendingMissing(reader, 'feed');
    // Whether something is still missing must be seen, also in a feed that has not changed.
    const walk = await this.feed.read(pending ? null : (state?.validators ?? null), readAt);
    return walk && { walk, source: { name: 'feed', validators: walk.validators, walkedAt: readAt } };
  }

  private async lookAtArchive(readAt: Date): Promise<AdvisoryNews> {
    const reader = this.dataSource.manager;
    const state = await this.advisories.source(reader, 'archive');
    const walkedAt = state?.walkedAt ?? null;
    const whole =
      walkedAt === null ||
      readAt.getTime() - walkedAt.getTime() >= WHOLE_WALK_EVERY_MS ||
      (await this.advisories.pendingMissing(reader, 'archive')) ||
      (await this.advisories.missingFromFeedSince(reader, walkedAt));
    const walk = await this.archive.walk({
      whole,
      changedUntil: await this.advisories.changedUntil(reader),
      projects: await this.advisories.projects(reader),
    });
    const changedAt = new Map(walk.seen.map(({ advisory }, place) => [advisory, walk.changedAt[place]!]));
    return {
      walk: { ...walk, changedAt },
      source: {
        name: 'archive',
        validators: { etag: null, lastModified: null },
        walkedAt: walk.whole ? readAt : walkedAt,
      },
    };
  }
}
