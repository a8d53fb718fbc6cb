import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What one source last said of an advisory. Where two sources differ, both readings are kept. */
@Entity({ name: 'advisory_readings' })
export class AdvisoryReadingEntity {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'advisory_readings_pkey' })
  advisory: string;

  /** `feed` or `archive`. */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'advisory_readings_pkey' })
  source: string;

  @Column({ type: 'jsonb' })
  facts: object;

  /** When its node last changed, as the archive says. */
  @Column({ name: 'changed_at', type: 'timestamptz', nullable: true })
  changedAt: Date | null;

  @Column({ name: 'read_at', type: 'timestamptz' })
  readAt: Date;

  /** Since when the source, which should hold it, does not; null: it does. */
  @Column({ name: 'missing_since', type: 'timestamptz', nullable: true })
  missingSince: Date | null;
}
