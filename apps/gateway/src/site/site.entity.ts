import { Check, Column, Entity, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';

export const ENVIRONMENTS = ['prod', 'stage', 'dev'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

/** One Drupal installation in one environment, as the registry knows it. What it runs, others know. */
@Entity('sites')
@Unique('sites_uuid', ['uuid'])
@Index('sites_organization', ['organizationId', 'id'])
@Check('sites_environment', `"environment" IN ('prod', 'stage', 'dev')`)
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
}
