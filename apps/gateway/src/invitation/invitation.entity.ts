import { Check, Column, Entity, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';
import type { Role } from '../identity/roles.js';

/** The offer to an address to be a member of an organization. */
@Entity('invitations')
@Unique('invitations_uuid', ['uuid'])
@Unique('invitations_token_hash', ['tokenHash'])
@Index('invitations_organization', ['organizationId', 'createdAt'])
@Check('invitations_email_lower_case', `"email" = lower("email")`)
@Check('invitations_role', `"role" IN ('administrator', 'user', 'developer')`)
export class Invitation {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', primaryKeyConstraintName: 'invitations_pkey' })
  id: number;

  @Column('uuid')
  uuid: string;

  @Column('integer', { name: 'organization_id' })
  organizationId: number;

  @Column('text')
  email: string;

  @Column('text')
  role: Role;

  /** SHA-256 of what the mail carries. */
  @Column('bytea', { name: 'token_hash' })
  tokenHash: Buffer;

  @Column('integer', { name: 'invited_by' })
  invitedBy: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;

  @Column('timestamptz', { name: 'accepted_at', nullable: true })
  acceptedAt: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt: Date | null;
}
