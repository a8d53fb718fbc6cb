import { Column, Entity, PrimaryColumn } from 'typeorm';

/** From this inventory on the site runs this version of the module (null: it is gone). A fact: never changed. */
@Entity('site_facts')
export class SiteFactEntity {
  @PrimaryColumn({ type: 'integer', name: 'site_id' })
  siteId: number;

  @PrimaryColumn({ type: 'integer', name: 'module_id' })
  moduleId: number;

  @PrimaryColumn({ type: 'bigint' })
  epoch: number;

  @PrimaryColumn({ type: 'bigint' })
  sequence: number;

  @Column({ type: 'integer', name: 'organization_id' })
  organizationId: number;

  @Column({ type: 'integer', name: 'version_id', nullable: true })
  versionId: number | null;

  @Column({ type: 'bigint', nullable: true })
  datestamp: number | null;

  @Column({ type: 'text', nullable: true })
  state: string | null;

  @Column({ type: 'text' })
  type: string;

  @Column({ type: 'timestamptz', name: 'observed_at' })
  observedAt: Date;

  @Column({ type: 'timestamptz', name: 'previous_observed_at', nullable: true })
  previousObservedAt: Date | null;
}
