import { Column, Entity, PrimaryColumn } from 'typeorm';

export interface PatchRunItem {
  readonly module: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** The version changes between two consecutive inventories of one site. Written once, read whole. */
@Entity({ name: 'patch_runs' })
export class PatchRunEntity {
  @PrimaryColumn({ name: 'site_id', type: 'integer', primaryKeyConstraintName: 'patch_runs_pkey' })
  siteId: number;

  /** With `sequence`: the push that showed it. */
  @PrimaryColumn({ type: 'bigint', primaryKeyConstraintName: 'patch_runs_pkey' })
  epoch: number;

  @PrimaryColumn({ type: 'bigint', primaryKeyConstraintName: 'patch_runs_pkey' })
  sequence: number;

  @Column({ name: 'organization_id', type: 'integer' })
  organizationId: number;

  @Column({ name: 'push_id', type: 'uuid' })
  pushId: string;

  /** It happened after `after` and not after `observed_at`. */
  @Column({ type: 'timestamptz' })
  after: Date;

  @Column({ name: 'observed_at', type: 'timestamptz' })
  observedAt: Date;

  @Column({ type: 'jsonb' })
  items: PatchRunItem[];
}
