import { Inject, Injectable } from '@nestjs/common';
import { LOGGER } from '../clock.js';
import type { Logger } from '#libs/runtime';
import { UPSTREAM } from '../upstream/upstream.tokens.js';
import type { UpstreamParts } from '../upstream/upstream-parts.js';
import type { Validators } from '../upstream/upstream-port.js';
import { advisoryId, readAdvisory, UnreadableAdvisoryError, type AdvisoryFacts } from './advisory-facts.js';
import { readFeed } from './feed-reader.js';

/** One page of the feed, read. */
export interface AdvisoryPage {
  readonly advisories: readonly AdvisoryFacts[];
  /** Entries that are on the page but could not be understood: known to be there, no more. `null`: not even its id. */
  readonly unreadable: readonly (string | null)[];
  /** Entries of any kind. */
  readonly entries: number;
  readonly validators: Validators;
}

/** Reads pages of the advisory feed; writes nothing. */
@Injectable()
export class ReadPagesService {
  constructor(
    @Inject(UPSTREAM) private readonly upstream: UpstreamParts,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /**
   * @param page from 0
   * @returns null when the page is what `validators` describe
   * @throws FetchFailure, UnreadableFeedError
   */
  async read(page: number, validators: Validators | null): Promise<AdvisoryPage | null> {
    const query = page === 0 ? '' : `?page=${page}`;
    const fetched = await this.upstream.client.get(
      `${this.upstream.settings.advisoryBase}/security/all/rss.xml${query}`,
      validators,
    );
    if (fetched.kind === 'not_modified') return null;
    const items = readFeed(fetched.body.toString('utf8'));
    const advisories: AdvisoryFacts[] = [];
    const unreadable: (string | null)[] = [];
    for (const item of items) {
      try {
        const facts = readAdvisory(item);
        if (facts) advisories.push(facts);
      } catch (error) {
        if (!(error instanceof UnreadableAdvisoryError)) throw error;
        const advisory = advisoryId(item);
        this.log.error({ advisory, reason: error.message }, 'an advisory could not be read');
        unreadable.push(advisory);
      }
    }
    return { advisories, unreadable, entries: items.length, validators: fetched.validators };
  }
}
