import { Check, Column, Entity, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** Where a person is logged in: one browser or program. It is the family of all refresh tokens that follow one log-in. */
@Entity('sessions')
@Unique('sessions_uuid', ['uuid'])
@Index('sessions_user', ['userId', 'lastSeenAt'], { where: '"ended_at" IS NULL' })
@Index('sessions_user_started_at', ['userId', 'startedAt'])
@Check('sessions_token_hash', `octet_length("token_hash") = 32`)
export class Session {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', primaryKeyConstraintName: 'sessions_pkey' })
  id: number;

  @Column('uuid')
  uuid: string;

  @Column('integer', { name: 'user_id' })
  userId: number;

  /** The user's session version when she logged in: raised since, the session is void. */
  @Column('integer', { name: 'session_version' })
  sessionVersion: number;

  /** SHA-256 of the refresh token that is good now. */
  @Column('bytea', { name: 'token_hash' })
  tokenHash: Buffer;

  /** SHA-256 of the one before; it is answered once more shortly after. */
  @Column('bytea', { name: 'previous_hash', nullable: true })
  previousHash: Buffer | null;

  @Column('timestamptz', { name: 'rotated_at' })
  rotatedAt: Date;

  @Column('timestamptz', { name: 'started_at' })
  startedAt: Date;

  /** When she last proved who she is, for what is sensitive. */
  @Column('timestamptz', { name: 'authenticated_at' })
  authenticatedAt: Date;

  /** To the minute. */
  @Column('timestamptz', { name: 'last_seen_at' })
  lastSeenAt: Date;

  /** The end whatever happens. */
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;

  @Column('text')
  address: string;

  /** What the browser or program calls itself. */
  @Column('text')
  device: string;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt: Date | null;

  /** `logged_out`, `revoked`, `too_many`, `token_reused`, `password_changed`, …; null: it lives, or ran out by itself. */
  @Column('text', { name: 'end_reason', nullable: true })
  endReason: string | null;
}
