import { Injectable } from '@nestjs/common';
import { ProblemError } from '../http/problem.js';
import type { Doer } from '../identity/doer.js';
import { Permissions } from '../identity/permissions.service.js';
import type { Erasure } from './erasure.entity.js';
import { ErasureRepository } from './erasure.repository.js';

/** Shows erasures: all to superusers, hers to whoever asked for one. */
@Injectable()
export class ReadErasures {
  constructor(
    private readonly erasures: ErasureRepository,
    private readonly permissions: Permissions,
  ) {}

  /** The newest first. @throws ProblemError `forbidden` */
  list(doer: Doer, page: { page: number; per_page: number }): Promise<[Erasure[], number]> {
    this.permissions.mustBeSuperuser({ action: 'erasure.list', subject: 'platform', doer });
    return this.erasures.list(page);
  }

  /** @throws ProblemError `not_found`, also for somebody else's */
  async one(uuid: string, { person }: Doer): Promise<Erasure> {
    const erasure = await this.erasures.find(uuid);
    if (erasure === null || !(person.superuser || erasure.requestedBy === person.uuid))
      throw new ProblemError('not_found', 'Nothing is at this address, or it is not yours to see.');
    return erasure;
  }
}
