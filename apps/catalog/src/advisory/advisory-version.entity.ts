import { Column, Entity, PrimaryColumn } from 'typeorm';

/** An advisory as it stood at one time. Kept for good. */
@Entity({ name: 'advisory_versions' })
export class AdvisoryVersionEntity {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'advisory_versions_pkey' })
  advisory: string;

  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'advisory_versions_pkey' })
  revision: number;

  @Column({ name: 'known_at', type: 'timestamptz' })
  knownAt: Date;

  /** The body of the event that told of it. */
  @Column({ type: 'jsonb' })
  facts: object;
}
