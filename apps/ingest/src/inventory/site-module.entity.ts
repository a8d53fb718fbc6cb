import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One module at one version on one site, from one push to another: the history. Rows are closed, never changed otherwise. */
@Entity({ name: 'site_modules' })
export class SiteModuleEntity {
  @PrimaryColumn({ name: 'site_id', type: 'integer', primaryKeyConstraintName: 'site_modules_pkey' })
  siteId: number;

  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'site_modules_pkey' })
  module: string;

  /** With `sequence`: the push that brought it. */
  @PrimaryColumn({ type: 'bigint', primaryKeyConstraintName: 'site_modules_pkey' })
  epoch: number;

  @PrimaryColumn({ type: 'bigint', primaryKeyConstraintName: 'site_modules_pkey' })
  sequence: number;

  @Column({ name: 'organization_id', type: 'integer' })
  organizationId: number;

  @Column({ type: 'text' })
  type: string;

  @Column({ type: 'text', nullable: true })
  version: string | null;

  @Column({ type: 'bigint', nullable: true })
  datestamp: number | null;

  @Column({ type: 'text' })
  state: string;

  /** The site's own code, not Drupal.org's project of that name. */
  @Column({ type: 'boolean' })
  custom: boolean;

  @Column({ name: 'valid_from', type: 'timestamptz' })
  validFrom: Date;

  /** null: it stands. */
  @Column({ name: 'valid_to', type: 'timestamptz', nullable: true })
  validTo: Date | null;

  /** With `end_sequence`: the push that ended it; null with a `valid_to`: the site was removed. */
  @Column({ name: 'end_epoch', type: 'bigint', nullable: true })
  endEpoch: number | null;

  @Column({ name: 'end_sequence', type: 'bigint', nullable: true })
  endSequence: number | null;
}
