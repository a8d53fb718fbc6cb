import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** When one thing upstream is to be asked for again, who is asking now, and how it went last. */
@Entity({ name: 'sync_states' })
@Index('sync_states_due', ['nextDue'])
export class SyncStateEntity {
  /** `module:<name>`, `advisories` or `advisory-archive`. */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'sync_states_pkey' })
  subject: string;

  /** `module`, `advisories` (the feed) or `archive`. */
  @Column({ type: 'text' })
  kind: string;

  @Column({ name: 'module_id', type: 'integer', nullable: true })
  moduleId: number | null;

  @Column({ name: 'next_due', type: 'timestamptz' })
  nextDue: Date;

  /** Until when it is asked for often, because an advisory named it and its document may lag behind. */
  @Column({ name: 'hot_until', type: 'timestamptz', nullable: true })
  hotUntil: Date | null;

  /** In a row. */
  @Column({ type: 'integer', default: 0 })
  failures: number;

  /** Since when it has failed without a success in between; null: it went well last. */
  @Column({ name: 'failing_since', type: 'timestamptz', nullable: true })
  failingSince: Date | null;

  @Column({ name: 'lease_owner', type: 'text', nullable: true })
  leaseOwner: string | null;

  @Column({ name: 'lease_until', type: 'timestamptz', nullable: true })
  leaseUntil: Date | null;

  /** `changed`, `unchanged`, `not_modified`, `failed`. */
  @Column({ name: 'last_outcome', type: 'text', nullable: true })
  lastOutcome: string | null;

  /** Why it failed: a stable code, and a sentence. */
  @Column({ name: 'last_code', type: 'text', nullable: true })
  lastCode: string | null;

  @Column({ name: 'last_detail', type: 'text', nullable: true })
  lastDetail: string | null;

  @Column({ name: 'last_at', type: 'timestamptz', nullable: true })
  lastAt: Date | null;

  @Column({ name: 'last_success_at', type: 'timestamptz', nullable: true })
  lastSuccessAt: Date | null;
}
