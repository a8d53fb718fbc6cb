import { Check, Column, Entity, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';

export const ENVIRONMENTS = ['prod', 'stage', 'dev'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

/** Why a site is held: a push said something else than the registry, or a person wants it. */
export type QuarantineReason = 'url_changed' | 'environment_changed' | 'by_hand';

/** One Drupal installation in one environment, as the registry knows it. What it runs, others know. */
@Entity('sites')
@Unique('sites_uuid', ['uuid'])
@Index('sites_organization', ['organizationId', 'id'])
@Check('sites_environment', `"environment" IN ('prod', 'stage', 'dev')`)
@Check('sites_quarantine_reason', `"quarantine_reason" IN ('url_changed', 'environment_changed', 'by_hand')`)
@Check('sites_quarantine', `("quarantined_at" IS NULL) = ("quarantine_reason" IS NULL)`)
@Check(
  'sites_reported',
  `"quarantined_at" IS NOT NULL OR coalesce("quarantine_note", "reported_url", "reported_environment") IS NULL`,
)
@Check('sites_reported_environment', `"reported_environment" IN ('prod', 'stage', 'dev')`)
export class Site {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', primaryKeyConstraintName: 'sites_pkey' })
  id: number;

  @Column('uuid')
  uuid: string;

  @Column('integer', { name: 'organization_id' })
  organizationId: number;

  @Column('text')
  name: string;

  @Column('text')
  url: string;

  @Column('text')
  environment: Environment;

  @Column('integer', { default: 1 })
  revision: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  /** Set when the site is removed; its history stays. */
  @Column('timestamptz', { name: 'removed_at', nullable: true })
  removedAt: Date | null;

  /** Since when its pushes are held back until a person decides; null: they are taken. The four below are null then, too. */
  @Column('timestamptz', { name: 'quarantined_at', nullable: true })
  quarantinedAt: Date | null;

  @Column('text', { name: 'quarantine_reason', nullable: true })
  quarantineReason: QuarantineReason | null;

  /** What the person who held it wrote. */
  @Column('text', { name: 'quarantine_note', nullable: true })
  quarantineNote: string | null;

  /** Where a push said that it comes from, if that is not what the registry says. */
  @Column('text', { name: 'reported_url', nullable: true })
  reportedUrl: string | null;

  @Column('text', { name: 'reported_environment', nullable: true })
  reportedEnvironment: Environment | null;
}

/** The part of a site that says whether and why it is held. */
export type Quarantine = Pick<
  Site,
  'quarantinedAt' | 'quarantineReason' | 'quarantineNote' | 'reportedUrl' | 'reportedEnvironment'
>;
