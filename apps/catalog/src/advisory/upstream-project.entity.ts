import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The machine name of a project of Drupal.org's, by the number of its node: it does not change. */
@Entity({ name: 'upstream_projects' })
export class UpstreamProjectEntity {
  @PrimaryColumn({ type: 'bigint', primaryKeyConstraintName: 'upstream_projects_pkey' })
  nid: string;

  @Column({ type: 'text' })
  module: string;

  @Column({ name: 'known_at', type: 'timestamptz' })
  knownAt: Date;
}
