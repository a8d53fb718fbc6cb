import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A security advisory as it stands now. */
@Entity({ name: 'advisories' })
@Index('advisories_module', ['module'])
@Index('advisories_published', ['publishedAt'])
export class AdvisoryEntity {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'advisories_pkey' })
  advisory: string;

  @Column({ type: 'text' })
  module: string;

  @Column({ type: 'integer' })
  revision: number;

  /** `published` or `retracted`. */
  @Column({ type: 'text' })
  state: string;

  @Column({ type: 'text' })
  title: string;

  @Column({ type: 'text' })
  url: string;

  @Column({ name: 'published_at', type: 'timestamptz' })
  publishedAt: Date;

  /** When the catalog first saw this revision. */
  @Column({ name: 'known_at', type: 'timestamptz' })
  knownAt: Date;

  @Column({ type: 'text', nullable: true })
  risk: string | null;

  @Column({ name: 'risk_score', type: 'integer', nullable: true })
  riskScore: number | null;

  @Column({ name: 'risk_vector', type: 'text', nullable: true })
  riskVector: string | null;

  @Column({ type: 'text', nullable: true })
  vulnerability: string | null;

  @Column({ type: 'text', array: true })
  cves: string[];

  @Column({ type: 'text', nullable: true })
  affected: string | null;

  @Column({ name: 'affected_d7', type: 'text', nullable: true })
  affectedD7: string | null;

  @Column({ type: 'text', array: true })
  fixed: string[];

  @Column({ type: 'boolean' })
  unsupported: boolean;
}
