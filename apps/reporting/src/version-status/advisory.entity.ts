import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** An advisory as it stands now. */
@Entity('advisories')
@Index('advisories_advisory', ['advisory', 'moduleId'], { unique: true })
@Index('advisories_module', ['moduleId'])
@Index('advisories_published', ['publishedAt'])
export class AdvisoryEntity {
  @PrimaryGeneratedColumn('identity', { type: 'integer', generatedIdentity: 'BY DEFAULT', name: 'advisory_id' })
  advisoryId: number;

  @Column({ type: 'integer', name: 'module_id' })
  moduleId: number;

  @Column({ type: 'text' })
  advisory: string;

  @Column({ type: 'integer' })
  revision: number;

  @Column({ type: 'text' })
  state: string;

  @Column({ type: 'text' })
  title: string;

  @Column({ type: 'text' })
  url: string;

  @Column({ type: 'timestamptz', name: 'published_at' })
  publishedAt: Date;

  @Column({ type: 'timestamptz', name: 'known_at' })
  knownAt: Date;

  @Column({ type: 'text', nullable: true })
  risk: string | null;

  @Column({ type: 'integer', name: 'risk_score', nullable: true })
  riskScore: number | null;

  @Column({ type: 'text', name: 'risk_vector', nullable: true })
  riskVector: string | null;

  @Column({ type: 'text', nullable: true })
  vulnerability: string | null;

  @Column({ type: 'text', array: true })
  cves: string[];

  @Column({ type: 'text', nullable: true })
  affected: string | null;

  @Column({ type: 'text', name: 'affected_d7', nullable: true })
  affectedD7: string | null;

  @Column({ type: 'text', array: true })
  fixed: string[];

  @Column({ type: 'boolean' })
  unsupported: boolean;
}
