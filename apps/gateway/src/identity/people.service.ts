import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Scope } from '#libs/contracts';
import { IdentityRepository } from './identity.repository.js';
import type { MembershipRow } from './identity.repository.js';
import type { Organization } from './organization.entity.js';
import type { User } from './user.entity.js';

/** Who people are, for the other features. */
@Injectable()
export class People {
  constructor(private readonly identities: IdentityRepository) {}

  /** The account of that name, active or not. */
  byEmail(email: string): Promise<User | null> {
    return this.identities.userByEmail(email);
  }

  byUuid(uuid: string): Promise<User | null> {
    return this.identities.userByUuid(uuid);
  }

  /** The account with its row locked. @throws Error when it is gone: accounts are disabled, not deleted */
  lock(tx: EntityManager, uuid: string): Promise<User> {
    return this.identities.lockUser(tx, uuid);
  }

  /** Memberships in organizations that were not removed. */
  membershipsOf(userId: number): Promise<MembershipRow[]> {
    return this.identities.membershipsOf(userId);
  }

  byId(id: number): Promise<User | null> {
    return this.identities.userById(id);
  }

  /** Organizations in scope, by name. */
  organizations(scope: Scope): Promise<Organization[]> {
    return this.identities.organizations(scope);
  }

  /**
   * A new hash in the place of the one that was checked: checking takes long, and what was changed meanwhile must not be undone.
   * @param tx the transaction of what belongs to it; none: by itself
   * @returns false: it is another one by now
   */
  changePasswordHash(
    userId: number,
    change: { readonly from: string; readonly to: string },
    tx?: EntityManager,
  ): Promise<boolean> {
    return this.identities.changePasswordHash(userId, change, tx);
  }
}
