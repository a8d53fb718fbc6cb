import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How far the feed of advisories has been read. */
@Entity({ name: 'advisory_feed' })
export class AdvisoryFeedEntity {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'advisory_feed_pkey' })
  feed: string;

  /** Validators of its first page. */
  @Column({ type: 'text', nullable: true })
  etag: string | null;

  @Column({ name: 'last_modified', type: 'text', nullable: true })
  lastModified: string | null;

  /** When it was last read to its end; null: never, so that no page may be taken for known. */
  @Column({ name: 'walked_at', type: 'timestamptz', nullable: true })
  walkedAt: Date | null;
}
