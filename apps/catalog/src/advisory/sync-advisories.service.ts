import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { advisoryChanged, type AdvisoryChanged } from '#libs/contracts';
import { OUTBOX, type Outbox } from '#libs/outbox';
import { SyncScheduleService } from '../sync/sync-schedule.service.js';
import { AdvisoryRepository } from './advisory.repository.js';
import { reconcileAdvisories, sameFacts, type KnownAdvisory } from './reconcile-advisories.js';
import { WalkAdvisoriesService, type FeedWalk } from './walk-advisories.service.js';

/** What one look at the feed brought, ready to be written. */
export interface FeedNews {
  readonly walk: FeedWalk;
  readonly known: ReadonlyMap<string, KnownAdvisory>;
  readonly walkedAt: Date | null;
}

/** The feed is read to its end once a day: only so are revisions of old advisories seen. */
const WHOLE_WALK_EVERY_MS = 24 * 3_600_000;
/** How long a module that an advisory names is asked for often: its document may lag behind the advisory. */
const HOT_MS = 3_600_000;

/** Keeps the advisories: reads the feed, compares, writes versions, tells of what has changed. */
@Injectable()
export class SyncAdvisoriesService {
  constructor(
    @Inject(OUTBOX) private readonly outbox: Outbox,
    private readonly walk: WalkAdvisoriesService,
    private readonly advisories: AdvisoryRepository,
    private readonly schedule: SyncScheduleService,
  ) {}

  /** Reads only. @returns null when the feed has not changed. @throws FetchFailure, UnreadableFeedError */
  async look(reader: EntityManager, now: Date): Promise<FeedNews | null> {
    const feed = await this.advisories.feed(reader);
    const known = await this.advisories.all(reader);
    const whole = !feed?.walkedAt || now.getTime() - feed.walkedAt.getTime() >= WHOLE_WALK_EVERY_MS;
    const missing = [...known.values()].filter(({ missingSince, state }) => missingSince && state === 'published');
    const walk = await this.walk.walk({
      // A walk that must look closely asks without a condition.
      validators: whole || missing.length > 0 ? null : (feed?.validators ?? null),
      whole,
      downTo: Math.min(Infinity, ...missing.map(({ facts }) => Date.parse(facts.published_at))),
      isKnown: (facts) => {
        const before = known.get(facts.advisory);
        return before?.state === 'published' && sameFacts(before.facts, facts);
      },
    });
    return walk && { walk, known, walkedAt: walk.whole ? now : (feed?.walkedAt ?? null) };
  }

  /** Writes the news in `tx`; whoever runs a module that an advisory names has its history asked for at once. */
  async store(tx: EntityManager, { walk, known, walkedAt }: FeedNews, now: Date): Promise<{ changed: number }> {
    const { published, retracted, missing, found } = reconcileAdvisories(walk.advisories, known, walk, now);
    const known_at = now.toISOString();
    const bodies: AdvisoryChanged[] = [
      ...published.map(({ facts, revision }) => ({ ...facts, revision, state: 'published' as const, known_at })),
      ...retracted.map(({ facts, revision }) => ({ ...facts, revision, state: 'retracted' as const, known_at })),
    ];
    await this.advisories.save(tx, bodies, now);
    await this.advisories.markMissing(tx, missing, now);
    await this.advisories.markMissing(tx, found, null);
    await this.advisories.saveFeed(tx, { validators: walk.validators, walkedAt });
    await this.outbox.add(
      tx,
      bodies.map((body) => ({ event: advisoryChanged, organizationId: null, key: body.module, body, occurredAt: now })),
    );
    const fresh = bodies.filter(({ published_at }) => now.getTime() - Date.parse(published_at) < WHOLE_WALK_EVERY_MS);
    const modules = [...new Set(fresh.map(({ module }) => module))].sort();
    await this.schedule.hasten(tx, modules, now, new Date(now.getTime() + HOT_MS));
    return { changed: bodies.length };
  }
}
