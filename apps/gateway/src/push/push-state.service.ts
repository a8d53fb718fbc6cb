import { Injectable } from '@nestjs/common';
import { pushReceipt } from '#libs/contracts';
import type { RpcOutput } from '#libs/contracts';
import { ProblemError } from '../http/problem.js';
import { scopeOf } from '../identity/principal.js';
import type { Principal } from '../identity/principal.js';
import { Questions } from '../question/questions.service.js';
import { FindSite } from '../site/find-site.service.js';
import { AcceptedPushes } from './accepted-pushes.repository.js';

export type Receipt = Exclude<RpcOutput<typeof pushReceipt>, null>;

/** Where a push stands. */
@Injectable()
export class PushState {
  constructor(
    private readonly sites: FindSite,
    private readonly questions: Questions,
    private readonly accepted: AcceptedPushes,
  ) {}

  /** @returns the receipt; null: accepted and not settled yet. @throws ProblemError `not_found` */
  async of(asker: Principal, siteUuid: string, pushId: string): Promise<Receipt | null> {
    const siteId = await this.sites.idOf(scopeOf(asker), siteUuid);
    const ask = (): Promise<Receipt | null> => this.questions.ask(pushReceipt, { site_id: siteId, push_id: pushId });
    const receipt = await ask();
    if (receipt !== null) return receipt;
    if (await this.accepted.wasAccepted(pushId, siteId)) return null;
    // It may have been settled, and its mark have expired, between the two looks.
    const late = await ask();
    if (late !== null) return late;
    throw new ProblemError('not_found', 'No push of this id was accepted from the site in the last hours.');
  }
}
