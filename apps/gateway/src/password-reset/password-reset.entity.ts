import { Column, Entity, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** Somebody's wish for a new password, as the mail carries it. */
@Entity('password_resets')
@Unique('password_resets_token_hash', ['tokenHash'])
@Index('password_resets_user', ['userId'])
export class PasswordReset {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', primaryKeyConstraintName: 'password_resets_pkey' })
  id: number;

  @Column('integer', { name: 'user_id' })
  userId: number;

  /** SHA-256 of what the mail carries. */
  @Column('bytea', { name: 'token_hash' })
  tokenHash: Buffer;

  /** SHA-256 of the stored password of that moment: with another password the wish is void. */
  @Column('bytea', { name: 'password_mark' })
  passwordMark: Buffer;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;

  @Column('timestamptz', { name: 'used_at', nullable: true })
  usedAt: Date | null;
}
