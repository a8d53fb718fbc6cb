import { setImmediate } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from '#libs/runtime';
import { LOGGER } from '../clock.js';
import { UPSTREAM } from '../upstream/upstream.tokens.js';
import type { UpstreamParts } from '../upstream/upstream-parts.js';
import type { Validators } from '../upstream/upstream-port.js';
import { advisoryId, readAdvisory, UnreadableAdvisoryError, type AdvisoryFacts } from './advisory-facts.js';
import { readFeed, UnreadableFeedError } from './feed-reader.js';
import type { SourceWalk } from './reconcile-advisories.js';

/** The feed as read, with the validators of the copy. */
export interface FeedReading extends SourceWalk {
  readonly validators: Validators;
}

/** Reads the feed of the latest advisories, one page without a second; writes nothing. */
@Injectable()
export class ReadFeedService {
  constructor(
    @Inject(UPSTREAM) private readonly upstream: UpstreamParts,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /**
   * @param readAt now
   * @returns null when the feed is what `validators` describe
   * @throws FetchFailure, UnreadableFeedError (`empty` for a feed without any advisory)
   */
  async read(validators: Validators | null, readAt: Date): Promise<FeedReading | null> {
    const url = `${this.upstream.settings.advisoryBase}/security/all/rss.xml`;
    const fetched = await this.upstream.client.get(url, validators);
    if (fetched.kind === 'not_modified') return null;
    const seen: AdvisoryFacts[] = [];
    const unreadable = new Set<string>();
    let trustworthy = true;
    for (const item of await readFeed(fetched.body.toString('utf8'))) {
      // Long descriptions take a while: the event loop turns in between.
      await setImmediate();
      try {
        const facts = readAdvisory(item);
        if (facts) seen.push(facts);
      } catch (error) {
        if (!(error instanceof UnreadableAdvisoryError)) throw error;
        const advisory = advisoryId(item);
        this.log.error({ advisory, reason: error.message }, 'an advisory could not be read');
        if (advisory === null) trustworthy = false;
        else unreadable.add(advisory);
      }
    }
    if (seen.length === 0 && unreadable.size === 0) {
      throw new UnreadableFeedError('empty', 'the feed holds no advisory');
    }
    const floor = Math.min(...seen.map(({ published_at }) => Date.parse(published_at)));
    return { source: 'feed', seen, unreadable, trustworthy, floor, readAt, validators: fetched.validators };
  }
}
