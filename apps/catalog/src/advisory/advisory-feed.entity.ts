import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How far a source of advisories has been read. */
@Entity({ name: 'advisory_feed' })
export class AdvisoryFeedEntity {
  /** `feed` or `archive`. */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'advisory_feed_pkey' })
  feed: string;

  /** Validators of the copy that was read. */
  @Column({ type: 'text', nullable: true })
  etag: string | null;

  @Column({ name: 'last_modified', type: 'text', nullable: true })
  lastModified: string | null;

  /** When it was last read to its end; null: never. */
  @Column({ name: 'walked_at', type: 'timestamptz', nullable: true })
  walkedAt: Date | null;
}
