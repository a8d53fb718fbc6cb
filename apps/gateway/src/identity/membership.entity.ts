import { Check, Column, Entity, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';
import type { Role } from './roles.js';

export type { Role };

/** A person's role in one organization. */
@Entity('memberships')
@Unique('memberships_organization_user', ['organizationId', 'userId'])
@Index('memberships_user', ['userId'])
@Check('memberships_role', `"role" IN ('administrator', 'user', 'developer')`)
export class Membership {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', primaryKeyConstraintName: 'memberships_pkey' })
  id: number;

  @Column('integer', { name: 'organization_id' })
  organizationId: number;

  @Column('integer', { name: 'user_id' })
  userId: number;

  @Column('text')
  role: Role;

  /** Begins anywhere (`first-revision.ts`), raised with every change. */
  @Column('integer', { default: 1 })
  revision: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;
}
