import { Injectable } from '@nestjs/common';
import { mustMatch } from '../http/if-match.js';
import { ProblemError } from '../http/problem.js';
import { doneBy, lineOf, type Doer } from '../identity/doer.js';
import { People } from '../identity/people.service.js';
import { Permissions } from '../identity/permissions.service.js';
import { scopeOf } from '../identity/principal.js';
import type { Actor } from '../identity/principal.js';
import { isSettled, released } from '../quarantine/released.js';
import type { MadeKey } from '../site-key/key-creators.js';
import { IssueKey } from '../site-key/issue-key.service.js';
import { SiteChanges } from './manage-sites.service.js';
import type { Environment, Site } from './site.entity.js';
import { SiteRepository } from './site.repository.js';

export interface SiteWords {
  readonly name?: string;
  readonly url?: string;
  readonly environment?: Environment;
}

/** Changes what the registry says of a site, and manages its keys one by one. */
@Injectable()
export class ChangeSite {
  constructor(
    private readonly sites: SiteRepository,
    private readonly people: People,
    private readonly permissions: Permissions,
    private readonly keys: IssueKey,
    private readonly changes: SiteChanges,
  ) {}

  /**
   * A site whose address or environment becomes what its pushes report is in quarantine no longer.
   * @throws ProblemError `not_found`, `forbidden`, `precondition_failed`
   */
  async change(uuid: string, words: SiteWords, doer: Doer<Actor>): Promise<{ site: Site; organizationUuid: string }> {
    const { keys, ...changed } = await this.changes.unitOfWork.run(async (tx) => {
      const before = found(await this.sites.find(scopeOf(doer.person), uuid, tx));
      this.permissions.must('edit_sites', before.organizationId, attempt('site.changed', uuid, doer));
      mustMatch(doer.ifMatch, before.revision);
      const wanted = { ...before, ...words };
      const settled = isSettled(wanted);
      const site = await this.sites.change(tx, settled ? released(wanted) : wanted);
      const [organization] = await this.people.organizations({ organization_ids: [site.organizationId] });
      await this.changes.tell(tx, {
        action: 'site.changed',
        site,
        organizationUuid: organization!.uuid,
        by: doneBy(doer),
        detail: { before: { name: before.name, url: before.url, environment: before.environment } },
      });
      if (settled)
        await this.changes.audit.record(tx, {
          ...lineOf(doer, 'site.quarantine_released', `site:${site.uuid}`, site.organizationId),
          detail: { name: site.name, decision: 'site.changed', reason: before.quarantineReason },
        });
      return { site, organizationUuid: organization!.uuid, keys: await this.sites.keysOf(tx, [site.id]) };
    });
    // What a push is compared with is remembered with the keys.
    await this.keys.announce(keys);
    return changed;
  }

  /** Keys that were not revoked, without their secrets. @throws ProblemError `not_found`, `forbidden` */
  async listKeys(uuid: string, doer: Doer): Promise<MadeKey[]> {
    const site = found(await this.sites.find(scopeOf(doer.person), uuid));
    this.permissions.must('administer', site.organizationId, attempt('site_key.list', uuid, doer));
    return this.keys.list(site);
  }

  /** Revokes one key; it opens nothing from this moment. @throws ProblemError `not_found`, `forbidden` */
  async revokeKey(uuid: string, keyId: string, doer: Doer): Promise<void> {
    await this.changes.unitOfWork.run(async (tx) => {
      const site = found(await this.sites.find(scopeOf(doer.person), uuid, tx));
      this.permissions.must('administer', site.organizationId, attempt('site_key.revoked', uuid, doer));
      if (!(await this.keys.revoke(tx, site, keyId)))
        throw new ProblemError('not_found', 'The site has no such key, or it was revoked before.');
      await this.changes.audit.record(tx, {
        ...lineOf(doer, 'site_key.revoked', `site:${site.uuid}`, site.organizationId),
        detail: { key: keyId },
      });
    });
    await this.keys.announce([keyId]);
  }
}

function attempt(
  action: string,
  uuid: string,
  doer: Doer<Actor>,
): { action: string; subject: string; doer: Doer<Actor> } {
  return { action, subject: `site:${uuid}`, doer };
}

function found(site: Site | null): Site {
  if (site === null) throw new ProblemError('not_found', 'Nothing is at this address, or it is not yours to see.');
  return site;
}
