import { Inject, Injectable } from '@nestjs/common';
import type { listSites, RpcOutput, siteModules } from '#libs/contracts';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../clock.js';
import { SiteListRepository, type SiteListInput } from './site-list.repository.js';
import { SiteModulesRepository, type SiteModulesInput } from './site-modules.repository.js';

/** Answers questions about sites and what they run now. */
@Injectable()
export class ReadSitesService {
  constructor(
    private readonly sites: SiteListRepository,
    private readonly modules: SiteModulesRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws UnknownSortError */
  async list(input: SiteListInput): Promise<RpcOutput<typeof listSites>> {
    const now = this.clock.now();
    const { items, total } = await this.sites.page(input, now);
    return { items, meta: { total, as_of: now.toISOString() } };
  }

  /** null: no such site in scope. @throws UnknownSortError */
  async modulesOf(input: SiteModulesInput): Promise<RpcOutput<typeof siteModules>> {
    const now = this.clock.now();
    const found = await this.sites.page({ scope: input.scope, site: input.site, page: 1, per_page: 1 }, now);
    const [site] = found.items;
    if (!site) return null;
    const { items, total } = await this.modules.page(input, now);
    return { site, items, meta: { total, as_of: now.toISOString() } };
  }
}
