import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from '#libs/runtime';
import { LOGGER } from '../clock.js';
import { UPSTREAM } from '../upstream/upstream.tokens.js';
import type { UpstreamParts } from '../upstream/upstream-parts.js';
import { UnreadableAdvisoryError } from './advisory-facts.js';
import { readArchiveNode, readProjectNode, type ArchiveNode } from './archive-node.js';
import { readArchivePage } from './archive-page.js';

/** In which order the archive is read: all of it by number, which no change shuffles, or the latest changes first. */
export type ArchiveOrder = 'number' | 'latest change';

/** One page of the archive, read. */
export interface ReadPage {
  readonly nodes: readonly ArchiveNode[];
  /** Ids of nodes that could not be understood further; `null`: not even its id. */
  readonly unreadable: readonly (string | null)[];
  readonly more: boolean;
}

/** Drupal.org answers fifty nodes at most. */
const PAGE_SIZE = 50;
const ORDERS: Readonly<Record<ArchiveOrder, string>> = {
  number: 'sort=nid&direction=ASC',
  'latest change': 'sort=changed&direction=DESC',
};

/**
 * Asks Drupal.org's API (`/api-d7/node.json`, documented at drupal.org/drupalorg/docs/apis/rest-and-other-apis) for advisories and for the
 * projects they are about. Writes nothing.
 */
@Injectable()
export class ReadArchiveService {
  constructor(
    @Inject(UPSTREAM) private readonly upstream: UpstreamParts,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** @param page from 0 @throws FetchFailure, UnreadableFeedError */
  async page(order: ArchiveOrder, page: number): Promise<ReadPage> {
    const query = `type=sa&field_is_psa=0&${ORDERS[order]}&limit=${PAGE_SIZE}${page === 0 ? '' : `&page=${page}`}`;
    const { nodes, more } = readArchivePage(await this.ask(query), page);
    const read: ArchiveNode[] = [];
    const unreadable: (string | null)[] = [];
    for (const node of nodes) {
      try {
        const advisory = readArchiveNode(node);
        if (advisory) read.push(advisory);
      } catch (error) {
        if (!(error instanceof UnreadableAdvisoryError)) throw error;
        this.log.error({ advisory: error.advisory, reason: error.message }, 'an advisory could not be read');
        unreadable.push(error.advisory);
      }
    }
    return { nodes: read, unreadable, more };
  }

  /** Machine names of projects by their numbers; those that upstream does not show are missing. @throws FetchFailure, UnreadableFeedError */
  async projects(nids: readonly number[]): Promise<Map<number, string>> {
    const names = new Map<number, string>();
    for (let from = 0; from < nids.length; from += PAGE_SIZE) {
      const asked = nids.slice(from, from + PAGE_SIZE);
      const { nodes } = readArchivePage(await this.ask(asked.map((nid) => `nid[]=${nid}`).join('&')), 0);
      for (const node of nodes) {
        const project = readProjectNode(node);
        if (project) names.set(project.nid, project.module);
      }
    }
    return names;
  }

  private async ask(query: string): Promise<string> {
    const url = `${this.upstream.settings.advisoryBase}/api-d7/node.json?${query}`;
    const fetched = await this.upstream.client.get(url, null, 'json');
    return fetched.kind === 'document' ? fetched.body.toString('utf8') : '';
  }
}
