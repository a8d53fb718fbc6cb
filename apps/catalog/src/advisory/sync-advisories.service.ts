import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { advisoryChanged, type AdvisoryChanged } from '#libs/contracts';
import { OUTBOX, type Outbox } from '#libs/outbox';
import { FollowModulesService } from '../module/follow-modules.service.js';
import { SyncScheduleService } from '../sync/sync-schedule.service.js';
import { AdvisoryRepository } from './advisory.repository.js';
import type { AdvisoryNews } from './look-at-advisories.service.js';
import { reconcileAdvisories } from './reconcile-advisories.js';

/** How long a module that an advisory names is asked for often: its document may lag behind the advisory. */
const HOT_MS = 3_600_000;
/** Advisories younger than this are news; older ones come with the first reading of the archive. */
const NEWS_MS = 24 * 3_600_000;

/** What storing what a source said came to. */
export interface StoredAdvisories {
  /** Advisories told of. */
  readonly changed: number;
  /** Some are missing and must be looked for again soon. */
  readonly unsure: boolean;
}

/** Keeps the advisories: compares what a source says, writes versions, tells of what has changed. */
@Injectable()
export class SyncAdvisoriesService {
  constructor(
    @Inject(OUTBOX) private readonly outbox: Outbox,
    private readonly advisories: AdvisoryRepository,
    private readonly schedule: SyncScheduleService,
    private readonly follow: FollowModulesService,
  ) {}

  /** Writes the news in `tx`; whoever runs a module that an advisory names has its history asked for at once. */
  async store(tx: EntityManager, { walk, source }: AdvisoryNews, now: Date): Promise<StoredAdvisories> {
    await this.advisories.lock(tx);
    const known = await this.advisories.all(tx);
    const archive = await this.advisories.source(tx, 'archive');
    const archiveKnown = source.name === 'archive' ? source.walkedAt !== null : (archive?.walkedAt ?? null) !== null;
    const { published, retracted, read, missing } = reconcileAdvisories(walk, known, archiveKnown, now);
    const known_at = now.toISOString();
    const bodies: AdvisoryChanged[] = [
      ...published.map(({ facts, revision }) => ({ ...facts, revision, state: 'published' as const, known_at })),
      ...retracted.map(({ facts, revision }) => ({ ...facts, revision, state: 'retracted' as const, known_at })),
    ];
    await this.advisories.save(tx, bodies, now);
    await this.advisories.saveReadings(
      tx,
      walk.source,
      read.map((facts) => ({ facts, changedAt: walk.changedAt?.get(facts.advisory) ?? null })),
      walk.readAt,
    );
    await this.advisories.markMissing(tx, walk.source, missing, now);
    await this.advisories.saveSource(tx, source);
    await this.advisories.saveProjects(tx, walk.projects ?? new Map(), now);
    await this.outbox.add(
      tx,
      bodies.map((body) => ({ event: advisoryChanged, organizationId: null, key: body.module, body, occurredAt: now })),
    );
    const fresh = bodies.filter(({ published_at }) => now.getTime() - Date.parse(published_at) < NEWS_MS);
    await this.follow.reconsider(tx, namesOf(published.map(({ facts }) => facts)));
    await this.schedule.hasten(tx, namesOf(fresh), now, new Date(now.getTime() + HOT_MS));
    // What the feed changed, the archive tells in full.
    if (walk.source === 'feed' && (bodies.length > 0 || missing.length > 0)) await this.schedule.hastenArchive(tx, now);
    return { changed: bodies.length, unsure: missing.length > 0 };
  }
}

const namesOf = (advisories: readonly { readonly module: string }[]): string[] =>
  [...new Set(advisories.map(({ module }) => module))].sort();
