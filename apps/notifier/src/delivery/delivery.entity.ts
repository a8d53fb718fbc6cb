import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * One mail to one person and what became of it. Answers "was it sent?".
 *
 *   queued ──▶ sent
 *     │  ▲
 *     ▼  │ back-off
 *   failed ──▶ dead          suppressed: there was nobody to hand it to
 */
@Entity({ name: 'deliveries' })
@Index('deliveries_due', ['nextAttemptAt'], { where: `state IN ('queued', 'failed')` })
@Index('deliveries_organization', ['organizationId', 'createdAt'])
export class DeliveryEntity {
  /** UUID; the mail's Message-ID is made of it, so that a mail sent twice can be recognised as one. */
  @PrimaryColumn({ name: 'delivery_id', type: 'uuid', primaryKeyConstraintName: 'deliveries_pkey' })
  deliveryId: string;

  /** null: the mail speaks of several organizations (a superuser's). */
  @Column({ name: 'organization_id', type: 'integer', nullable: true })
  organizationId: number | null;

  /** null: a person without an account (she is invited). */
  @Column({ name: 'user_id', type: 'integer', nullable: true })
  userId: number | null;

  @Column({ type: 'text' })
  kind: string;

  /** Where it goes: the address as it was then. */
  @Column({ type: 'text' })
  email: string;

  @Column({ type: 'text' })
  subject: string;

  @Column({ name: 'text_body', type: 'text' })
  textBody: string;

  @Column({ name: 'html_body', type: 'text' })
  htmlBody: string;

  @Column({ type: 'jsonb' })
  headers: Record<string, string>;

  @Column({ type: 'text' })
  state: string;

  /** Why it is failed, dead or suppressed. */
  @Column({ type: 'text', nullable: true })
  reason: string | null;

  @Column({ type: 'integer', default: 0 })
  attempts: number;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'next_attempt_at', type: 'timestamptz' })
  nextAttemptAt: Date;

  @Column({ name: 'settled_at', type: 'timestamptz', nullable: true })
  settledAt: Date | null;
}
