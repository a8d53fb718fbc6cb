import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * The current inventory of a site as one text: what the next push is compared with. `site_modules` says the same in rows;
 * reading 120 rows a site through the driver takes longer than everything else a changed push needs.
 */
@Entity({ name: 'site_inventories' })
export class SiteInventoryEntity {
  @PrimaryColumn({ name: 'site_id', type: 'integer', primaryKeyConstraintName: 'site_inventories_pkey' })
  siteId: number;

  @Column({ name: 'organization_id', type: 'integer' })
  organizationId: number;

  /** `Inventory.text`. */
  @Column({ type: 'text' })
  snapshot: string;
}
