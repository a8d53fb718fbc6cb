import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { asSystem } from '#libs/database';
import { newId } from '#libs/runtime';
import type { Clock } from '#libs/runtime';
import { OUTBOX, UNIT_OF_WORK } from '#libs/outbox';
import type { Outbox } from '#libs/outbox';
import type { UnitOfWork } from '#libs/streams';
import { CLOCK } from '../tokens.js';
import { firstRevision } from './first-revision.js';
import { memberFact, organizationFact } from './identity-events.js';
import { IdentityRepository } from './identity.repository.js';

export interface FirstSuperuser {
  readonly email: string;
  /** Makes the hash of her password; asked only when there is no user yet. */
  readonly passwordHash: () => Promise<string>;
  readonly organization: string;
}

/** Any fixed number: whoever may be making the first user holds it. */
const BOOTSTRAP_LOCK = 4_711_202_502;

/** Makes the first superuser and the first organization of a platform that has no user yet. */
@Injectable()
export class Bootstrap {
  constructor(
    private readonly people: IdentityRepository,
    @Inject(UNIT_OF_WORK) private readonly unitOfWork: UnitOfWork<EntityManager>,
    @Inject(OUTBOX) private readonly outbox: Outbox,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Does nothing, and false, when there is a user. Replicas that start together make one. */
  makeFirstSuperuser(first: FirstSuperuser): Promise<boolean> {
    return asSystem(() =>
      this.unitOfWork.run(async (tx) => {
        await tx.query('SELECT pg_advisory_xact_lock($1)', [BOOTSTRAP_LOCK]);
        if (await this.people.anyUser(tx)) return false;
        const createdAt = this.clock.now();
        const organization = await this.people.addOrganization(tx, {
          uuid: newId(),
          name: first.organization,
          timeZone: 'UTC',
          revision: 1,
          createdAt,
          requiresSecondFactor: false,
          removedAt: null,
        });
        const user = await this.people.addUser(tx, {
          uuid: newId(),
          email: first.email.toLowerCase(),
          name: first.email.split('@', 1)[0] ?? first.email,
          passwordHash: await first.passwordHash(),
          superuser: true,
          active: true,
          sessionVersion: 1,
          revision: 1,
          createdAt,
        });
        await this.people.addMembership(tx, {
          organizationId: organization.id,
          userId: user.id,
          role: 'administrator',
          revision: firstRevision(),
          createdAt,
        });
        await this.outbox.add(tx, [organizationFact(organization), memberFact(user, [organization.id])]);
        return true;
      }),
    );
  }
}
