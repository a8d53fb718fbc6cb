import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Clock } from '#libs/runtime';
import { mustMatch } from '../http/if-match.js';
import { ProblemError } from '../http/problem.js';
import { doneBy, type Doer } from '../identity/doer.js';
import { Permissions } from '../identity/permissions.service.js';
import { scopeOf } from '../identity/principal.js';
import type { Actor } from '../identity/principal.js';
import { FindSite } from '../site/find-site.service.js';
import { isSiteAddress } from '../site/site-address.js';
import type { Site } from '../site/site.entity.js';
import { CLOCK } from '../tokens.js';
import { QuarantineChanges } from './quarantine-changes.service.js';
import type { WrittenChange } from './quarantine-changes.service.js';
import { released } from './released.js';

/** A site after a decision on it. */
export interface DecidedSite {
  readonly site: Site;
  readonly organizationUuid: string;
}

/**
 * Holds sites by hand, and releases those that are held. Whoever may edit a site may do both: what `accept_change` does to the registry,
 * she could do with PATCH. Whom the site is shared with sees that it is held, and decides nothing.
 */
@Injectable()
export class HoldSite {
  constructor(
    private readonly find: FindSite,
    private readonly permissions: Permissions,
    private readonly changes: QuarantineChanges,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Holds every push of the site, whatever it says. A site that a push has put in quarantine is held entirely from now on, and what was reported stays.
   * @throws ProblemError `not_found`, `forbidden`, `precondition_failed`, `site_already_held`
   */
  hold(uuid: string, note: string | null, doer: Doer<Actor>): Promise<DecidedSite> {
    return this.decide(uuid, 'site.quarantined', doer, (tx, site) => {
      if (site.quarantineReason === 'by_hand')
        throw new ProblemError('site_already_held', 'Somebody has held all pushes of the site already.');
      return this.changes.write(tx, {
        site: {
          ...site,
          quarantinedAt: site.quarantinedAt ?? this.clock.now(),
          quarantineReason: 'by_hand',
          quarantineNote: note,
        },
        action: 'site.quarantined',
        detail: { reason: 'by_hand', note, before: site.quarantineReason },
        by: doneBy(doer),
      });
    });
  }

  /** @throws ProblemError `not_found`, `forbidden`, `precondition_failed`, `site_not_quarantined`, `nothing_reported` */
  release(uuid: string, decision: 'accept_change' | 'keep', doer: Doer<Actor>): Promise<DecidedSite> {
    return this.decide(uuid, 'site.quarantine_released', doer, (tx, site) => {
      if (site.quarantinedAt === null)
        throw new ProblemError('site_not_quarantined', 'The site is not held: its pushes are taken.');
      const { url, environment, quarantineReason, reportedUrl, reportedEnvironment } = site;
      return this.changes.write(tx, {
        site: released(decision === 'accept_change' ? moved(site) : site),
        action: 'site.quarantine_released',
        detail: {
          decision,
          reason: quarantineReason,
          reported: { url: reportedUrl, environment: reportedEnvironment },
          before: { url, environment },
        },
        by: doneBy(doer),
      });
    });
  }

  private async decide(
    uuid: string,
    action: string,
    doer: Doer<Actor>,
    change: (tx: EntityManager, site: Site) => Promise<WrittenChange>,
  ): Promise<DecidedSite> {
    const { site, owner, keys } = await this.changes.unitOfWork.run(async (tx) => {
      const before = await this.find.one(scopeOf(doer.person), uuid, tx);
      this.permissions.must('edit_sites', before.organizationId, { action, subject: `site:${uuid}`, doer });
      mustMatch(doer.ifMatch, before.revision);
      return change(tx, before);
    });
    await this.changes.announce(keys);
    return { site, organizationUuid: owner.uuid };
  }
}

/** The site as the push described it. */
function moved(site: Site): Site {
  const { reportedUrl, reportedEnvironment } = site;
  if (reportedUrl === null && reportedEnvironment === null)
    throw new ProblemError(
      'nothing_reported',
      'No push has said that the site is another: keep what the registry says.',
    );
  if (reportedUrl !== null && !isSiteAddress(reportedUrl))
    throw new ProblemError(
      'nothing_reported',
      'What was reported cannot be the address of a site. Change it with PATCH.',
    );
  return {
    ...site,
    url: reportedUrl ?? site.url,
    environment: reportedEnvironment ?? site.environment,
  };
}
