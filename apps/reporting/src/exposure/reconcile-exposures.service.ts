import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { exposuresChanged, type ExposureFact } from '#libs/contracts';
import { OUTBOX, type Outbox, type OutgoingEvent } from '#libs/outbox';
import { CLOCK } from '../clock.js';
import type { Clock } from '#libs/runtime';
import { ExposureAnnouncementRepository, type AnnouncedExposure } from './exposure-announcement.repository.js';
import { reconciliation, withRecordedOpenings } from './exposure-reconciliation.js';
import { ExposureRepository, type AssessedPairs } from './exposure.repository.js';

/** Most exposures that one message carries. */
const CHUNK = 500;

/** Brings the record of exposures to what follows from intervals and verdicts, and tells what opened and closed. */
@Injectable()
export class ReconcileExposuresService {
  constructor(
    private readonly exposures: ExposureRepository,
    private readonly announcements: ExposureAnnouncementRepository,
    @Inject(OUTBOX) private readonly outbox: Outbox,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * The caller holds the locks of the modules and, unless it has the modules alone, of the sites.
   * @returns the sites with any change, ascending
   */
  async reconcile(tx: EntityManager, pairs: AssessedPairs): Promise<number[]> {
    if (pairs.siteIds.length === 0) return [];
    const anchors = await this.exposures.anchors(tx, pairs);
    const recorded = await this.exposures.recorded(tx, pairs, anchors);
    const derived = withRecordedOpenings(await this.exposures.derive(tx, pairs, anchors), recorded);
    const changes = reconciliation(derived, recorded);
    const inserted = await this.exposures.apply(tx, changes, this.clock.now());

    const closedBefore = new Set(
      recorded.filter((episode) => episode.state === 'closed').map((episode) => episode.exposureId),
    );
    const ended = [...changes.close, ...changes.retract.filter((episode) => !closedBefore.has(episode.exposureId))];
    await this.announce(
      tx,
      inserted,
      ended.map((episode) => episode.exposureId),
    );

    const siteOf = new Map(recorded.map((episode) => [episode.exposureId, episode.siteId]));
    const touched = new Set(changes.insert.map((episode) => episode.siteId));
    for (const { exposureId } of [...changes.close, ...changes.update, ...changes.retract])
      touched.add(siteOf.get(exposureId)!);
    return [...touched].sort((a, b) => a - b);
  }

  /** Tells what stands on record of sites whose facts came before the registry's word of them. */
  async announceSites(tx: EntityManager, siteIds: readonly number[]): Promise<void> {
    await this.announce(tx, await this.announcements.ofSites(tx, siteIds), []);
  }

  /** What opens already closed (history that was loaded) is told in both lists, so that counts come out right. */
  private async announce(tx: EntityManager, opened: readonly number[], closed: readonly number[]): Promise<void> {
    const openedFacts = await this.announcements.facts(tx, opened);
    const closedFacts = await this.announcements.facts(tx, closed);
    const items = [
      ...openedFacts.map((exposure) => ({ list: 'opened' as const, exposure })),
      ...[...openedFacts.filter(({ fact }) => fact.closed_at !== null), ...closedFacts].map((exposure) => ({
        list: 'closed' as const,
        exposure,
      })),
    ];
    await this.outbox.add(tx, messages(items));
  }
}

type Announcement = { readonly list: 'opened' | 'closed'; readonly exposure: AnnouncedExposure };

/** One message per organization and chunk. */
function messages(items: readonly Announcement[]): OutgoingEvent<typeof exposuresChanged>[] {
  const byOrganization = new Map<number, Announcement[]>();
  for (const item of items) {
    const list = byOrganization.get(item.exposure.organizationId);
    if (list) list.push(item);
    else byOrganization.set(item.exposure.organizationId, [item]);
  }
  return [...byOrganization].flatMap(([organizationId, announcements]) => {
    const chunks: OutgoingEvent<typeof exposuresChanged>[] = [];
    for (let start = 0; start < announcements.length; start += CHUNK) {
      const chunk = announcements.slice(start, start + CHUNK);
      const facts = (list: Announcement['list']): ExposureFact[] =>
        chunk.filter((item) => item.list === list).map((item) => item.exposure.fact);
      chunks.push({
        event: exposuresChanged,
        organizationId,
        key: announcements[0]!.exposure.organizationUuid,
        body: { organization_id: organizationId, opened: facts('opened'), closed: facts('closed') },
      });
    }
    return chunks;
  });
}
