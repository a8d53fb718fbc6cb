import { Check, Column, Entity, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';
import type { Figures } from './figures.js';

/** What an organization may: how many requests, pushes and sites, and how often its figures are made. Data of the platform: everybody reads it. */
@Entity('plans')
@Unique('plans_code', ['code'])
@Index('plans_default', ['isDefault'], { unique: true, where: '"is_default"' })
@Check('plans_figures', `"figures" IN ('weekly', 'hourly')`)
@Check(
  'plans_limits',
  `least("person_requests_per_minute", "key_requests_per_minute", "pushes_per_minute", "most_sites") > 0`,
)
export class Plan {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', primaryKeyConstraintName: 'plans_pkey' })
  id: number;

  /** Names it in addresses and settings of organizations; it never changes. */
  @Column('text')
  code: string;

  @Column('text')
  name: string;

  @Column('text')
  figures: Figures;

  @Column('integer', { name: 'person_requests_per_minute' })
  personRequestsPerMinute: number;

  /** Of one integration key; of a site's key beside its pushes. */
  @Column('integer', { name: 'key_requests_per_minute' })
  keyRequestsPerMinute: number;

  /** Of one site's key. */
  @Column('integer', { name: 'pushes_per_minute' })
  pushesPerMinute: number;

  /** null: as many as they like. */
  @Column('integer', { name: 'most_sites', nullable: true })
  mostSites: number | null;

  /** What organizations have that nobody gave another; exactly one is. */
  @Column('boolean', { name: 'is_default' })
  isDefault: boolean;

  @Column('integer', { default: 1 })
  revision: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'changed_at' })
  changedAt: Date;
}
