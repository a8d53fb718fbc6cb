import { Injectable } from '@nestjs/common';
import type { Validators } from '../upstream/upstream-port.js';
import type { AdvisoryFacts } from './advisory-facts.js';
import { UnreadableFeedError } from './feed-reader.js';
import { ReadPagesService } from './read-pages.service.js';

/** What the catalog has of the feed before a walk. */
export interface FeedKnowledge {
  /** Of the first page; null: ask without a condition. */
  readonly validators: Validators | null;
  /** The walk must go to the feed's end. */
  readonly whole: boolean;
  /** The walk must pass this instant (milliseconds), known or not. */
  readonly downTo: number;
  /** Whether these facts are known as they are. */
  readonly isKnown: (facts: AdvisoryFacts) => boolean;
}

/** What a walk over the feed saw. */
export interface FeedWalk {
  readonly advisories: readonly AdvisoryFacts[];
  /** Ids on the pages that could not be understood further. */
  readonly unreadable: ReadonlySet<string>;
  /** The feed was read to its end. */
  readonly whole: boolean;
  /** Every entry seen was understood at least by its id: what is not among them is not in the feed. */
  readonly trustworthy: boolean;
  /** Instant (milliseconds) above which everything in the feed was seen. */
  readonly floor: number;
  readonly validators: Validators;
}

/** A feed of more pages than this is none. */
const MOST_PAGES = 1_000;

/**
 * Reads the feed from its newest entry until a page brings nothing new (or to its end). Also stops at a page that repeats the one before:
 * Drupal.org's feed has been seen without pages, where every number answers with the first.
 */
@Injectable()
export class WalkAdvisoriesService {
  constructor(private readonly pages: ReadPagesService) {}

  /** @returns null when nothing has changed. @throws FetchFailure, UnreadableFeedError (`empty` for a feed without any advisory) */
  async walk(known: FeedKnowledge): Promise<FeedWalk | null> {
    const first = await this.pages.read(0, known.validators);
    if (!first) return null;
    if (first.advisories.length === 0 && first.unreadable.length === 0) {
      throw new UnreadableFeedError('empty', 'the first page holds no advisory');
    }
    const seen = new Map<string, AdvisoryFacts>();
    const unreadable = new Set<string>();
    let trustworthy = true;
    let whole = false;
    let page: typeof first | null = first;
    for (let number = 0; ;) {
      const before = seen.size + unreadable.size;
      for (const facts of page.advisories) seen.set(facts.advisory, facts);
      for (const id of page.unreadable) {
        if (id === null) trustworthy = false;
        else unreadable.add(id);
      }
      const nothingFurther =
        page.entries === 0 || (seen.size + unreadable.size === before && page.advisories.length > 0);
      if (nothingFurther || number + 1 >= MOST_PAGES) {
        whole = true;
        break;
      }
      const nothingNew = page.unreadable.length === 0 && page.advisories.every((facts) => known.isKnown(facts));
      if (nothingNew && !known.whole && oldest(seen) < known.downTo) break;
      number += 1;
      page = await this.pages.read(number, null);
      if (!page) break;
    }
    return {
      advisories: [...seen.values()],
      unreadable,
      whole,
      trustworthy,
      floor: oldest(seen),
      validators: first.validators,
    };
  }
}

const oldest = (seen: ReadonlyMap<string, AdvisoryFacts>): number =>
  Math.min(...[...seen.values()].map(({ published_at }) => Date.parse(published_at)));
