import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A span in which the site was never silent: it was heard from at both ends, and between them at least every `SILENT_AFTER_HOURS`. */
@Entity('site_contacts')
export class SiteContactEntity {
  @PrimaryColumn({ type: 'integer', name: 'site_id' })
  siteId: number;

  @PrimaryColumn({ type: 'timestamptz', name: 'heard_from' })
  heardFrom: Date;

  @Column({ type: 'timestamptz', name: 'heard_until' })
  heardUntil: Date;
}
