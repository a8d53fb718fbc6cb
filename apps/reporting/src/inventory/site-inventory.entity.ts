import { Column, Entity, PrimaryColumn } from 'typeorm';

/** An inventory that changed something. A fact: never changed. */
@Entity('site_inventories')
export class SiteInventoryEntity {
  @PrimaryColumn({ type: 'integer', name: 'site_id' })
  siteId: number;

  @PrimaryColumn({ type: 'bigint' })
  epoch: number;

  @PrimaryColumn({ type: 'bigint' })
  sequence: number;

  @Column({ type: 'integer', name: 'organization_id' })
  organizationId: number;

  @Column({ type: 'uuid', name: 'push_id' })
  pushId: string;

  @Column({ type: 'timestamptz', name: 'observed_at' })
  observedAt: Date;

  @Column({ type: 'timestamptz', name: 'previous_observed_at', nullable: true })
  previousObservedAt: Date | null;

  @Column({ type: 'timestamptz', name: 'received_at' })
  receivedAt: Date;

  @Column({ type: 'boolean' })
  complete: boolean;

  @Column({ type: 'text', name: 'core_version', nullable: true })
  coreVersion: string | null;

  @Column({ type: 'text', name: 'php_version', nullable: true })
  phpVersion: string | null;

  @Column({ type: 'integer' })
  changes: number;
}
