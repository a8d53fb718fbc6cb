import type { Episode } from './exposure-episode.js';

/** Where an episode belongs. `causeId` 0 is Drupal.org's own mark, any other an advisory. */
export interface EpisodeOwner {
  readonly siteId: number;
  readonly moduleId: number;
  readonly causeId: number;
}

/** An episode as it follows from the facts now. */
export interface DerivedEpisode extends EpisodeOwner, Episode {
  readonly organizationId: number;
  readonly fixedIn: string[] | null;
  /** Its first interval is the one from which on intervals were read: it may have begun before. */
  readonly opensAtAnchor: boolean;
}

/** An episode as it was recorded and not retracted since. */
export interface RecordedEpisode extends EpisodeOwner, Episode {
  readonly exposureId: number;
  readonly fixedIn: string[] | null;
}

/** What turns the record into what follows from the facts. */
export interface Reconciliation {
  readonly insert: readonly DerivedEpisode[];
  /** Open ones that have an end now. */
  readonly close: readonly { readonly exposureId: number; readonly to: DerivedEpisode }[];
  /** Still standing, but now (or no longer) `unknown`, or with other words of the cause. */
  readonly update: readonly { readonly exposureId: number; readonly to: DerivedEpisode }[];
  /** Recorded, but by what is known now it never was. */
  readonly retract: readonly { readonly exposureId: number }[];
}

/**
 * Episodes derived from the middle of a history on (`episode-anchor.repository.ts`). What stood at the anchor opened before; how, is on
 * record: the last one of the same cause that had opened by then.
 */
export function withRecordedOpenings(
  derived: readonly DerivedEpisode[],
  recorded: readonly RecordedEpisode[],
): DerivedEpisode[] {
  const byOwner = new Map<string, RecordedEpisode[]>();
  for (const episode of recorded) {
    const list = byOwner.get(owner(episode));
    if (list) list.push(episode);
    else byOwner.set(owner(episode), [episode]);
  }
  return derived.map((episode) => {
    if (!episode.opensAtAnchor) return episode;
    let opening: RecordedEpisode | undefined;
    for (const known of byOwner.get(owner(episode)) ?? [])
      if (known.openedAt <= episode.openedAt && (!opening || opening.openedAt < known.openedAt)) opening = known;
    if (!opening) return episode;
    const { openedAt, publishedAt, version, fixedIn } = opening;
    return { ...episode, openedAt, publishedAt, version, fixedIn };
  });
}

/**
 * Compares record and facts. An episode keeps its identity by site, module, cause and the time it opened. What is recorded as
 * closed is never re-opened nor closed otherwise: such an episode is retracted and what follows from the facts stands beside it.
 */
export function reconciliation(
  derived: readonly DerivedEpisode[],
  recorded: readonly RecordedEpisode[],
): Reconciliation {
  const insert: DerivedEpisode[] = [];
  const close: { exposureId: number; to: DerivedEpisode }[] = [];
  const update: { exposureId: number; to: DerivedEpisode }[] = [];
  const left = new Map(recorded.map((episode) => [identity(episode), episode]));
  const retract: { exposureId: number }[] = [];
  for (const to of derived) {
    const key = identity(to);
    const from = left.get(key);
    if (!from) insert.push(to);
    else {
      left.delete(key);
      if (contradicts(from, to)) {
        retract.push(from);
        insert.push(to);
      } else if (from.state !== 'closed' && to.state === 'closed') close.push({ exposureId: from.exposureId, to });
      else if (standsOtherwise(from, to)) update.push({ exposureId: from.exposureId, to });
    }
  }
  for (const episode of left.values()) retract.push(episode);
  return { insert, close, update, retract };
}

function owner({ siteId, moduleId, causeId }: EpisodeOwner): string {
  return `${siteId} ${moduleId} ${causeId}`;
}

function identity(episode: EpisodeOwner & Episode): string {
  return `${owner(episode)} ${episode.openedAt.getTime()}`;
}

function contradicts(from: RecordedEpisode, to: DerivedEpisode): boolean {
  if (from.version !== to.version) return true;
  if (from.state !== 'closed') return false;
  return (
    to.state !== 'closed' ||
    !sameInstant(from.closedAt, to.closedAt) ||
    from.reason !== to.reason ||
    from.closedVersion !== to.closedVersion
  );
}

function standsOtherwise(from: RecordedEpisode, to: DerivedEpisode): boolean {
  return (
    from.state !== to.state ||
    !sameInstant(from.unknownSince, to.unknownSince) ||
    !sameInstant(from.closedAfter, to.closedAfter) ||
    !sameInstant(from.publishedAt, to.publishedAt) ||
    (from.fixedIn ?? []).join() !== (to.fixedIn ?? []).join()
  );
}

function sameInstant(one: Date | null, other: Date | null): boolean {
  return one?.getTime() === other?.getTime();
}
