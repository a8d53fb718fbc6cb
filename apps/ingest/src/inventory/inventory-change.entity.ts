import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One applied push that changed what a site has: the facts of the inventory as a whole, kept as long as the history itself. */
@Entity({ name: 'inventory_changes' })
export class InventoryChangeEntity {
  @PrimaryColumn({ name: 'site_id', type: 'integer', primaryKeyConstraintName: 'inventory_changes_pkey' })
  siteId: number;

  @PrimaryColumn({ type: 'bigint', primaryKeyConstraintName: 'inventory_changes_pkey' })
  epoch: number;

  @PrimaryColumn({ type: 'bigint', primaryKeyConstraintName: 'inventory_changes_pkey' })
  sequence: number;

  @Column({ name: 'organization_id', type: 'integer' })
  organizationId: number;

  @Column({ name: 'push_id', type: 'uuid' })
  pushId: string;

  @Column({ name: 'observed_at', type: 'timestamptz' })
  observedAt: Date;

  /** Of the push before, whether it changed anything or not. */
  @Column({ name: 'previous_observed_at', type: 'timestamptz', nullable: true })
  previousObservedAt: Date | null;

  @Column({ name: 'received_at', type: 'timestamptz' })
  receivedAt: Date;

  @Column({ type: 'boolean' })
  complete: boolean;

  /** The site had no inventory before. */
  @Column({ type: 'boolean' })
  first: boolean;

  @Column({ name: 'core_version', type: 'text', nullable: true })
  coreVersion: string | null;

  @Column({ name: 'php_version', type: 'text', nullable: true })
  phpVersion: string | null;

  /** Put together from what an earlier release had kept: times of looks before and versions of core and PHP may be missing. */
  @Column({ type: 'boolean', default: false })
  reconstructed: boolean;
}
