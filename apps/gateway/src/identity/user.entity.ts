import { Check, Column, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** A person. She belongs to no tenant: memberships say in which organizations she is what. */
@Entity('users')
@Unique('users_uuid', ['uuid'])
@Unique('users_email', ['email'])
@Check('users_email_lower_case', `"email" = lower("email")`)
export class User {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', primaryKeyConstraintName: 'users_pkey' })
  id: number;

  @Column('uuid')
  uuid: string;

  /** In lower case: the account's name. */
  @Column('text')
  email: string;

  @Column('text')
  name: string;

  /** Tagged with its scheme, see `password.ts`. */
  @Column('text', { name: 'password_hash' })
  passwordHash: string;

  /** May everything, in every organization. */
  @Column('boolean', { default: false })
  superuser: boolean;

  @Column('boolean', { default: true })
  active: boolean;

  /** Raised to end everything she is logged in to: tokens carry it. */
  @Column('integer', { name: 'session_version', default: 1 })
  sessionVersion: number;

  @Column('integer', { default: 1 })
  revision: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;
}
