import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A request that was sent under an Idempotency-Key. Neither the key nor the answer can be read from it without the key. */
@Entity('idempotent_requests')
@Index('idempotent_requests_started_at', ['startedAt'])
@Check('idempotent_requests_hashes', `octet_length("key_hash") = 32 AND octet_length("body_hash") = 32`)
@Check('idempotent_requests_answer', `("status" IS NULL) = ("answer" IS NULL)`)
export class IdempotentRequest {
  /** Over who asked, method, address and key. */
  @PrimaryColumn('bytea', { name: 'key_hash', primaryKeyConstraintName: 'idempotent_requests_pkey' })
  keyHash: Buffer;

  @Column('bytea', { name: 'body_hash' })
  bodyHash: Buffer;

  @Column('timestamptz', { name: 'started_at' })
  startedAt: Date;

  /** null: it has no answer yet. */
  @Column('integer', { nullable: true })
  status: number | null;

  /** The answer, sealed. */
  @Column('bytea', { nullable: true })
  answer: Buffer | null;
}
