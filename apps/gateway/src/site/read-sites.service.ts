import { Injectable } from '@nestjs/common';
import { listSites, siteModules } from '#libs/contracts';
import type { Scope, SiteRow } from '#libs/contracts';
import { asSystem } from '#libs/database';
import { ProblemError } from '../http/problem.js';
import { People } from '../identity/people.service.js';
import { given } from '../question/given.js';
import { Questions } from '../question/questions.service.js';
import { writtenList, type WrittenList } from '../question/written-list.js';
import { shownQuarantine, shownSite } from './shown-site.js';
import type { SiteListQuery, SiteModulesQuery } from './site.dto.js';
import type { Site } from './site.entity.js';
import { SiteRepository } from './site.repository.js';

/** Reads sites: which there are, the registry knows; what they run and how they stand, reporting does. */
@Injectable()
export class ReadSites {
  constructor(
    private readonly sites: SiteRepository,
    private readonly people: People,
    private readonly questions: Questions,
  ) {}

  /** A page of the sites in scope. @throws as `Questions.askAgain` */
  async list(scope: Scope, query: SiteListQuery): Promise<WrittenList> {
    const { page, per_page, sort, q, environment, exposed, reporting, quarantined, module } = query;
    const filters = given({ q, environment, exposed, reporting, quarantined, module });
    const { made, at } = await this.questions.askAgain(
      listSites,
      { scope, page, per_page, sort: sort ?? '-security_updates', ...filters },
      writtenList,
    );
    return { ...made, asOf: at ?? made.asOf };
  }

  /** One site. A site of this moment is there even if reporting has not heard of it. @returns it with the registry's revision @throws ProblemError `not_found` */
  async one(scope: Scope, uuid: string): Promise<{ row: SiteRow; revision: number }> {
    const site = await this.mustFind(scope, uuid);
    const { items } = await this.questions.ask(listSites, { scope, page: 1, per_page: 1, site: site.uuid });
    // What was decided a moment ago, the registry knows first.
    const quarantine = shownQuarantine(site);
    return { row: { ...(items[0] ?? (await this.unheard(site))), quarantine }, revision: site.revision };
  }

  /** Its modules. @throws ProblemError `not_found` */
  async modules(
    scope: Scope,
    uuid: string,
    query: SiteModulesQuery,
  ): Promise<WrittenList & { readonly site: SiteRow }> {
    const { page, per_page, group } = query;
    const asked = this.questions.askAgain(
      siteModules,
      { scope, site: uuid.toLowerCase(), page, per_page, ...given({ group }) },
      (found) => found && { site: found.site, ...writtenList(found) },
    );
    // Meanwhile. That it was removed, or is shared no longer, the registry knows first; then nobody waits for the answer.
    asked.catch(() => undefined);
    if (!(await this.sites.isThere(scope, uuid))) throw nothingThere();
    const { made, at } = await asked;
    if (made !== null) return { ...made, asOf: at ?? made.asOf };
    const site = await this.unheard(await this.mustFind(scope, uuid));
    return { site, ...writtenList({ items: [], meta: { total: 0, as_of: new Date().toISOString() } }) };
  }

  private async mustFind(scope: Scope, uuid: string): Promise<Site> {
    const site = await this.sites.find(scope, uuid);
    if (site === null) throw nothingThere();
    return site;
  }

  /** A site that has never pushed, or whose registration is still on its way to reporting. */
  private async unheard(site: Site): Promise<SiteRow> {
    // Of a site that is shared with the asker, too: the site names its owner.
    const [organization] = await asSystem(() => this.people.organizations({ organization_ids: [site.organizationId] }));
    return {
      ...shownSite(site, organization?.uuid ?? ''),
      core_version: null,
      core_status: null,
      modules: 0,
      updates: 0,
      security_updates: 0,
      unknown: 0,
      open_exposures: 0,
      worst_risk: null,
      exposed_since: null,
      last_push_at: null,
      complete: null,
      reporting: 'waiting',
    };
  }
}

function nothingThere(): ProblemError {
  return new ProblemError('not_found', 'Nothing is at this address, or it is not yours to see.');
}
