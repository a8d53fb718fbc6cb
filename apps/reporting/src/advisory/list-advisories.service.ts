import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { ADVISORY_SORTS, type AdvisoryRow, type listAdvisories, type RpcOutput } from '#libs/contracts';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../clock.js';
import type { VersionCount } from '../fleet-counts/fleet-counts.js';
import { FleetCountsService } from '../fleet-counts/fleet-counts.service.js';
import { pageOf } from '../reading/list-page.js';
import { sortingOf } from '../reading/sorting.js';
import { AdvisoryFactsRepository, type AdvisoryFacts } from './advisory-facts.repository.js';
import { isWanted, sortValue, type AdvisoryListInput, type CountedAdvisory } from './advisory-list.js';

/** Answers which advisories there are, and how someone's sites stand to them. */
@Injectable()
export class ListAdvisoriesService {
  private remembered: { readonly stamp: string; readonly advisories: readonly AdvisoryFacts[] } | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly advisories: AdvisoryFactsRepository,
    private readonly fleet: FleetCountsService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws UnknownSortError, InvalidCursorError */
  async list(input: AdvisoryListInput): Promise<RpcOutput<typeof listAdvisories>> {
    const sorting = sortingOf(input.sort, ADVISORY_SORTS, '-published_at');
    const now = this.clock.now();
    return this.dataSource.transaction('REPEATABLE READ', async (tx) => {
      const fleet = await this.fleet.ofScope(tx, input.scope);
      const counts = await fleet.causes();
      const all = await this.all(tx);
      const wanted = all
        .map((facts) => ({ facts, count: counts.get(facts.advisoryId) }))
        .filter((advisory) => isWanted(advisory, input));
      const { items, total, next } = pageOf(
        wanted,
        {
          sorting,
          valueOf: (advisory) => sortValue(advisory, sorting.field),
          idOf: ({ facts }) => facts.words.id,
        },
        input,
      );
      const unknown = await this.unknownSites(
        tx,
        items.map(({ facts }) => facts),
        await fleet.versions(),
      );
      return {
        items: items.map((advisory) => advisoryRow(advisory, unknown.get(advisory.facts.advisoryId) ?? 0)),
        meta: { total, as_of: now.toISOString() },
        next,
      };
    });
  }

  /** The same for every tenant, and read again only when something changed. */
  private async all(tx: EntityManager): Promise<readonly AdvisoryFacts[]> {
    const stamp = await this.advisories.stamp(tx);
    if (this.remembered?.stamp === stamp) return this.remembered.advisories;
    const advisories = await this.advisories.all(tx);
    this.remembered = { stamp, advisories };
    return advisories;
  }

  /** Sites whose version cannot be compared, by advisory. */
  private async unknownSites(
    tx: EntityManager,
    advisories: readonly AdvisoryFacts[],
    versions: ReadonlyMap<number, VersionCount>,
  ): Promise<Map<number, number>> {
    const sites = new Map<number, number>();
    for (const { causeId, versionId } of await this.advisories.unknownVersions(tx, advisories)) {
      sites.set(causeId, (sites.get(causeId) ?? 0) + (versions.get(versionId)?.sites ?? 0));
    }
    return sites;
  }
}

function advisoryRow({ facts, count }: CountedAdvisory<AdvisoryFacts>, unknown: number): AdvisoryRow {
  return {
    ...facts.words,
    sites_exposed: count?.exposed ?? 0,
    sites_open: count?.open ?? 0,
    sites_patched: count?.patched ?? 0,
    sites_unknown: unknown,
  };
}
