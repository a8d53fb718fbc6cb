import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One release of a module, for people's reads; the algorithm reads the document. */
@Entity({ name: 'releases' })
export class ReleaseEntity {
  @PrimaryColumn({ name: 'module_id', type: 'integer', primaryKeyConstraintName: 'releases_pkey' })
  moduleId: number;

  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'releases_pkey' })
  version: string;

  /** Position in the document, from 0. */
  @Column({ type: 'integer' })
  place: number;

  @Column({ type: 'text', nullable: true })
  status: string | null;

  @Column({ name: 'released_at', type: 'timestamptz', nullable: true })
  releasedAt: Date | null;

  @Column({ type: 'boolean' })
  security: boolean;

  @Column({ type: 'boolean' })
  insecure: boolean;

  @Column({ type: 'boolean' })
  unsupported: boolean;

  /** By the security team's advisory policy; null: not said. */
  @Column({ type: 'boolean', nullable: true })
  covered: boolean | null;

  @Column({ name: 'core_compatibility', type: 'text', nullable: true })
  coreCompatibility: string | null;

  /** When the catalog first saw it. */
  @Column({ name: 'known_at', type: 'timestamptz' })
  knownAt: Date;

  /** When it was first missing from the document. */
  @Column({ name: 'withdrawn_at', type: 'timestamptz', nullable: true })
  withdrawnAt: Date | null;
}
