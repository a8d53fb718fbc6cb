import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Where a site stands: one narrow row, the only one that an unchanged push touches. Its lock orders everything about the site. */
@Entity({ name: 'site_states' })
export class SiteStateEntity {
  @PrimaryColumn({ name: 'site_id', type: 'integer', primaryKeyConstraintName: 'site_states_pkey' })
  siteId: number;

  @Column({ name: 'organization_id', type: 'integer' })
  organizationId: number;

  @Column({ name: 'site_uuid', type: 'uuid' })
  siteUuid: string;

  /** With `sequence`: the push that stands. null: none has been applied. */
  @Column({ type: 'bigint', nullable: true })
  epoch: number | null;

  @Column({ type: 'bigint', nullable: true })
  sequence: number | null;

  /** Of `site_inventories.snapshot`; null: there is no inventory. */
  @Column({ name: 'content_hash', type: 'text', nullable: true })
  contentHash: string | null;

  /** The site's own name of that inventory, for heartbeats. */
  @Column({ name: 'reported_hash', type: 'text', nullable: true })
  reportedHash: string | null;

  /** Of the body that brought that inventory; the same body again need not be parsed. */
  @Column({ type: 'text', nullable: true })
  fingerprint: string | null;

  @Column({ name: 'observed_at', type: 'timestamptz', nullable: true })
  observedAt: Date | null;

  @Column({ name: 'received_at', type: 'timestamptz', nullable: true })
  receivedAt: Date | null;

  @Column({ type: 'boolean', nullable: true })
  complete: boolean | null;

  @Column({ name: 'core_version', type: 'text', nullable: true })
  coreVersion: string | null;

  @Column({ name: 'php_version', type: 'text', nullable: true })
  phpVersion: string | null;

  @Column({ name: 'removed_at', type: 'timestamptz', nullable: true })
  removedAt: Date | null;

  /** Of the site's registry entry; 0: never heard of it but by pushes. */
  @Column({ type: 'integer', default: 0 })
  revision: number;
}
