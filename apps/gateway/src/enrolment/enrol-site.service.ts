import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { UNIT_OF_WORK } from '#libs/outbox';
import type { UnitOfWork } from '#libs/streams';
import { AuditLog } from '../audit/audit-log.service.js';
import { ProblemError } from '../http/problem.js';
import type { DoneBy } from '../identity/doer.js';
import { actorName } from '../identity/principal.js';
import type { EnrolmentKeyPrincipal } from '../identity/principal.js';
import { RegisterSite } from '../site/register-site.service.js';
import { IssueKey } from '../site-key/issue-key.service.js';
import type { IssuedKey } from '../site-key/issue-key.service.js';
import { EnrolmentRepository } from './enrolment.repository.js';
import type { EnrolledSite } from './enrolment.repository.js';
import { siteAddress } from './site-address.js';

/** A site as its agent describes it. */
export interface AgentsSite {
  readonly agentId: string;
  readonly url: string;
  readonly name: string | undefined;
  readonly environment: 'prod' | 'stage' | 'dev';
}

export interface Enrolled {
  readonly uuid: string;
  readonly name: string;
  readonly url: string;
  readonly environment: string;
  readonly createdAt: Date;
  readonly key: IssuedKey;
  /** false: the site was registered by this agent before, and has another key now. */
  readonly isNew: boolean;
}

/**
 * Lets an agent register its site. An agent whose answer was lost asks again with the same `agent_id` and gets the same site with a
 * new key, as long as the key before was never used; that one is revoked. Once a key has pushed, only people can make another: whoever gets
 * hold of an enrolment key must not take over sites that work.
 */
@Injectable()
export class EnrolSite {
  constructor(
    private readonly enrolments: EnrolmentRepository,
    private readonly registry: RegisterSite,
    private readonly keys: IssueKey,
    private readonly audit: AuditLog,
    @Inject(UNIT_OF_WORK) private readonly unitOfWork: UnitOfWork<EntityManager>,
  ) {}

  /** @throws ProblemError `site_registered`, `enrolment_exhausted`, `plan_limit_reached` */
  async enrol(
    by: EnrolmentKeyPrincipal,
    site: AgentsSite,
    request: { requestId: string; address: string },
  ): Promise<Enrolled> {
    const address = siteAddress(site.url);
    const doer: DoneBy = { actor: actorName(by), ...request };
    const { enrolled, revoked } = await this.unitOfWork.run(async (tx) => {
      await this.enrolments.lock(tx, by.organizationId, address, site.environment);
      const before = await this.enrolments.find(tx, by.organizationId, address, site.environment);
      if (before !== null) return this.again(tx, by, before, site, doer);
      if (await this.enrolments.hasSite(tx, by.organizationId, address, site.environment)) throw registered();
      return { enrolled: await this.register(tx, by, site, address, doer), revoked: [] };
    });
    // The key before may be remembered as good: every replica has to forget it.
    if (revoked.length > 0) await this.keys.announce(revoked);
    return enrolled;
  }

  private async register(
    tx: EntityManager,
    by: EnrolmentKeyPrincipal,
    { agentId, url, name, environment }: AgentsSite,
    address: string,
    doer: DoneBy,
  ): Promise<Enrolled> {
    const now = this.keys.now();
    if (!(await this.enrolments.use(tx, by.keyId, now)))
      throw new ProblemError('enrolment_exhausted', 'This key has registered all the sites it may.');
    const { organizationId, organizationUuid, createdBy } = by;
    const { site, key } = await this.registry.register(
      tx,
      { organizationId, organizationUuid, name: name ?? new URL(url).host, url, environment, createdBy },
      doer,
    );
    await this.enrolments.save(tx, {
      organizationId,
      keyId: by.keyId,
      siteId: site.id,
      siteKeyId: key.publicId,
      address,
      environment,
      agentId,
      enrolledAt: now,
    });
    return { uuid: site.uuid, name: site.name, url, environment, createdAt: site.createdAt, key, isNew: true };
  }

  private async again(
    tx: EntityManager,
    by: EnrolmentKeyPrincipal,
    { enrolment, uuid, name, url, createdAt, keyIsUnused }: EnrolledSite,
    { agentId }: AgentsSite,
    doer: DoneBy,
  ): Promise<{ enrolled: Enrolled; revoked: string[] }> {
    if (enrolment.agentId !== agentId || !keyIsUnused) throw registered();
    const site = { id: enrolment.siteId, organizationId: by.organizationId };
    await this.keys.revoke(tx, site, enrolment.siteKeyId);
    const key = await this.keys.issue(tx, site, { purpose: 'push', createdBy: by.createdBy, lifetimeHours: null });
    await this.enrolments.save(tx, { ...withoutId(enrolment), siteKeyId: key.publicId });
    await this.audit.record(tx, {
      action: 'site_key.created',
      ...doer,
      subject: `site:${uuid}`,
      organizationId: by.organizationId,
      detail: { key: key.publicId, replaces: enrolment.siteKeyId },
    });
    const { environment, siteKeyId } = enrolment;
    return { enrolled: { uuid, name, url, environment, createdAt, key, isNew: false }, revoked: [siteKeyId] };
  }
}

function withoutId<T extends { readonly id: number }>({ id: _, ...rest }: T): Omit<T, 'id'> {
  return rest;
}

function registered(): ProblemError {
  return new ProblemError(
    'site_registered',
    'Your organization has this site already. Ask an administrator for a key of it, or to remove it.',
  );
}
