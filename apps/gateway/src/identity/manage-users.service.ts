import { Injectable } from '@nestjs/common';
import { mustMatch } from '../http/if-match.js';
import { ProblemError } from '../http/problem.js';
import { Sessions } from '../session/sessions.service.js';
import { lineOf, type Doer } from './doer.js';
import { IdentityChanges } from './identity-changes.service.js';
import { MembershipRepository } from './membership.repository.js';
import type { UserFilter } from './membership.repository.js';
import type { Page } from './organization.repository.js';
import { Permissions } from './permissions.service.js';
import type { User } from './user.entity.js';

export interface UserWords {
  readonly name?: string;
  readonly active?: boolean;
  readonly superuser?: boolean;
}

/** The accounts of the platform: superusers see and change them; everybody changes her own name. Nobody sees or sets a password. */
@Injectable()
export class ManageUsers {
  constructor(
    private readonly members: MembershipRepository,
    private readonly permissions: Permissions,
    private readonly changes: IdentityChanges,
    private readonly sessions: Sessions,
  ) {}

  /** @throws ProblemError `forbidden` */
  list(doer: Doer, filter: UserFilter, page: Page): Promise<[User[], number]> {
    this.permissions.mustBeSuperuser({ action: 'user.list', subject: 'platform', doer });
    return this.members.users(filter, page);
  }

  /** @throws ProblemError `forbidden`, `not_found` */
  async one(uuid: string, doer: Doer): Promise<User> {
    this.permissions.mustBeSuperuser({ action: 'user.read', subject: `user:${uuid}`, doer });
    const user = await this.members.user(uuid);
    if (user === null) throw nobody();
    return user;
  }

  /** @throws ProblemError `forbidden`, `not_found`, `precondition_failed`, `last_administrator` */
  change(uuid: string, words: UserWords, doer: Doer): Promise<User> {
    this.permissions.mustBeSuperuser({ action: 'user.changed', subject: `user:${uuid}`, doer });
    return this.write(uuid, words, doer);
  }

  /** Her own name. @throws ProblemError `precondition_failed` */
  rename(name: string, doer: Doer): Promise<User> {
    return this.write(doer.person.uuid, { name }, doer);
  }

  private write(uuid: string, words: UserWords, doer: Doer): Promise<User> {
    return this.changes.unitOfWork.run(async (tx) => {
      const before = await this.members.lockUser(tx, uuid);
      if (before === null) throw nobody();
      mustMatch(doer.ifMatch, before.revision);
      const after = { ...before, ...words };
      const isLost = before.superuser && before.active && !(after.superuser && after.active);
      if (isLost && (await this.members.otherSuperusers(tx, before.id)) === 0)
        throw new ProblemError('last_administrator', 'Make somebody else superuser first.');
      // An account that is disabled, or may less than it did, begins anew: also what it is logged in to.
      const ends = (before.active && !after.active) || (before.superuser && !after.superuser);
      const saved = await this.members.saveUser(tx, {
        ...after,
        sessionVersion: before.sessionVersion + (ends ? 1 : 0),
      });
      const ended = ends ? await this.sessions.endAll(tx, before.id, 'account_changed') : 0;
      await this.changes.tellMember(tx, saved, await this.members.organizationIds(tx, before.id), doer);
      await this.changes.note(tx, lineOf(doer, 'user.changed', `user:${uuid}`, null), {
        // Not what she is called: the log stays when she is erased.
        renamed: before.name !== after.name,
        before: { active: before.active, superuser: before.superuser },
        after: { active: after.active, superuser: after.superuser },
        sessions_ended: ended,
      });
      return saved;
    });
  }
}

function nobody(): ProblemError {
  return new ProblemError('not_found', 'There is no such account.');
}
