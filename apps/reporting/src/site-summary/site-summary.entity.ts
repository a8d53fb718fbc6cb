import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** One row a site with all that lists and dashboards count. Its row lock orders all who change the site’s read model. */
@Entity('site_summaries')
@Index('site_summaries_organization', ['organizationId', 'siteId'])
export class SiteSummaryEntity {
  @PrimaryColumn({ type: 'integer', name: 'site_id' })
  siteId: number;

  @Column({ type: 'integer', name: 'organization_id' })
  organizationId: number;

  @Column({ type: 'bigint', nullable: true })
  epoch: number | null;

  @Column({ type: 'bigint', nullable: true })
  sequence: number | null;

  @Column({ type: 'text', name: 'core_version', nullable: true })
  coreVersion: string | null;

  @Column({ type: 'text', name: 'php_version', nullable: true })
  phpVersion: string | null;

  @Column({ type: 'boolean', nullable: true })
  complete: boolean | null;

  @Column({ type: 'timestamptz', name: 'first_observed_at', nullable: true })
  firstObservedAt: Date | null;

  @Column({ type: 'timestamptz', name: 'observed_at', nullable: true })
  observedAt: Date | null;

  @Column({ type: 'timestamptz', name: 'heard_at', nullable: true })
  heardAt: Date | null;

  @Column({ type: 'integer', default: 0 })
  inventories: number;

  @Column({ type: 'integer', default: 0 })
  modules: number;

  @Column({ type: 'integer', default: 0 })
  updates: number;

  @Column({ type: 'integer', name: 'security_updates', default: 0 })
  securityUpdates: number;

  @Column({ type: 'integer', default: 0 })
  unknown: number;

  @Column({ type: 'integer', name: 'open_exposures', default: 0 })
  openExposures: number;

  @Column({ type: 'integer', name: 'open_modules', default: 0 })
  openModules: number;

  @Column({ type: 'integer', name: 'unknown_exposures', default: 0 })
  unknownExposures: number;

  @Column({ type: 'timestamptz', name: 'exposed_since', nullable: true })
  exposedSince: Date | null;

  @Column({ type: 'smallint', name: 'worst_risk', nullable: true })
  worstRisk: number | null;

  /** Rises with every change of an exposure of the site. */
  @Column({ type: 'bigint', name: 'exposure_changes', default: 0 })
  exposureChanges: number;
}
