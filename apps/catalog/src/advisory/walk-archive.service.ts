import { setImmediate } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../clock.js';
import { FetchFailure } from '../upstream/fetch-failure.js';
import { assembleFacts, type AdvisoryFacts } from './advisory-facts.js';
import type { ArchiveNode } from './archive-node.js';
import { ReadArchiveService } from './read-archive.service.js';
import type { SourceWalk } from './reconcile-advisories.js';

/** What the catalog has of the archive before a walk. */
export interface ArchiveKnowledge {
  /** Read all of it, whatever is known. */
  readonly whole: boolean;
  /** Up to here every change is known; null: nothing is. */
  readonly changedUntil: Date | null;
  /** Machine names of projects by number. */
  readonly projects: ReadonlyMap<number, string>;
}

/** What a walk over the archive saw. */
export interface ArchiveWalk extends SourceWalk {
  /** When each of `seen` last changed, by position. */
  readonly changedAt: readonly Date[];
  /** Everything was read. */
  readonly whole: boolean;
  /** Names that were looked up. */
  readonly projects: ReadonlyMap<number, string>;
}

/** An archive of more pages than this is none. */
const MOST_PAGES = 400;
/** Well within the lease: a walk that takes longer is given up and begun again later. */
const LONGEST_WALK_MS = 4 * 60_000;

/**
 * Reads Drupal.org's archive of advisories: all of it, or what has changed since the last time. One page after the other, as its owners
 * ask for.
 */
@Injectable()
export class WalkArchiveService {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly archive: ReadArchiveService,
  ) {}

  /** @throws FetchFailure, UnreadableFeedError; then nothing of it may be used */
  async walk({ whole, changedUntil, projects }: ArchiveKnowledge): Promise<ArchiveWalk> {
    const readAt = this.clock.now();
    const all = whole || changedUntil === null;
    const nodes = new Map<string, ArchiveNode>();
    const unreadable = new Set<string>();
    let trustworthy = true;
    for (let number = 0; ; number++) {
      if (number >= MOST_PAGES || this.clock.now().getTime() - readAt.getTime() > LONGEST_WALK_MS) {
        throw new FetchFailure('timeout', `the archive was not at its end after ${number} pages`);
      }
      const page = await this.archive.page(all ? 'number' : 'latest change', number);
      for (const node of page.nodes) nodes.set(node.stated.advisory, node);
      for (const id of page.unreadable) {
        if (id === null) trustworthy = false;
        else unreadable.add(id);
      }
      const reached = !all && page.nodes.some(({ changedAt }) => changedAt < changedUntil);
      if (!page.more || reached) break;
    }
    const looked = await this.lookUp([...nodes.values()], projects);
    const seen: { facts: AdvisoryFacts; changedAt: Date }[] = [];
    for (const { stated, project, changedAt } of nodes.values()) {
      const module = project.machineName ?? projects.get(project.nid) ?? looked.get(project.nid);
      if (module === undefined) unreadable.add(stated.advisory);
      else seen.push({ facts: assembleFacts({ ...stated, module }), changedAt });
      // There may be thousands, with long texts: the event loop turns in between.
      await setImmediate();
    }
    return {
      source: 'archive',
      seen: seen.map(({ facts }) => facts),
      changedAt: seen.map(({ changedAt }) => changedAt),
      unreadable,
      trustworthy,
      floor: all ? -Infinity : Infinity,
      readAt,
      whole: all,
      projects: looked,
    };
  }

  /** Names that neither the nodes say nor the catalog knows. */
  private async lookUp(
    nodes: readonly ArchiveNode[],
    known: ReadonlyMap<number, string>,
  ): Promise<Map<number, string>> {
    const nids = nodes
      .filter(({ project }) => project.machineName === null && !known.has(project.nid))
      .map(({ project }) => project.nid);
    return nids.length === 0 ? new Map() : await this.archive.projects([...new Set(nids)].sort((a, b) => a - b));
  }
}
