import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** How one accepted push ended. Dead ones have none: they are in `dead_letters`. Kept for a time only: the version guard outlives it. */
@Entity({ name: 'receipts' })
@Index('receipts_settled', ['settledAt'])
export class ReceiptEntity {
  @PrimaryColumn({ name: 'site_id', type: 'integer', primaryKeyConstraintName: 'receipts_pkey' })
  siteId: number;

  @PrimaryColumn({ name: 'push_id', type: 'uuid', primaryKeyConstraintName: 'receipts_pkey' })
  pushId: string;

  @Column({ name: 'organization_id', type: 'integer' })
  organizationId: number;

  @Column({ type: 'text' })
  state: string;

  /** Stable code; see `SettledReason`. */
  @Column({ type: 'text' })
  reason: string;

  /** For people; null where the reason says it all. */
  @Column({ type: 'text', nullable: true })
  detail: string | null;

  @Column({ type: 'bigint' })
  epoch: number;

  @Column({ type: 'bigint' })
  sequence: number;

  @Column({ name: 'received_at', type: 'timestamptz' })
  receivedAt: Date;

  @Column({ name: 'settled_at', type: 'timestamptz' })
  settledAt: Date;

  @Column({ type: 'integer' })
  changes: number;
}
