import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Scope } from '#libs/contracts';
import { ProblemError } from '../http/problem.js';
import type { Site } from './site.entity.js';
import { SiteRepository } from './site.repository.js';

/** The one place where other features learn whether a site is there for who asks. */
@Injectable()
export class FindSite {
  constructor(private readonly sites: SiteRepository) {}

  /** Integer id of the site. @throws ProblemError `not_found` when it is out of scope, removed or unknown: one answer for all three */
  async idOf(scope: Scope, uuid: string): Promise<number> {
    return (await this.one(scope, uuid)).id;
  }

  /** The site; with `tx` its row is locked, if it is the asker's own. @throws ProblemError `not_found`, as `idOf` */
  async one(scope: Scope, uuid: string, tx?: EntityManager): Promise<Site> {
    const site = await this.sites.find(scope, uuid, tx);
    if (site === null) throw new ProblemError('not_found', 'Nothing is at this address, or it is not yours to see.');
    return site;
  }
}
