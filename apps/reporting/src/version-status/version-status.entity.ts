import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** What Drupal says of one installed version, the same for every site that runs it. A null version: the site named none. `datestamp` is 0 except for dev snapshots, whose status depends on it. */
@Entity('version_statuses')
@Index('version_statuses_version', ['moduleId', 'version', 'datestamp'], { unique: true })
export class VersionStatusEntity {
  @PrimaryGeneratedColumn('identity', { type: 'integer', generatedIdentity: 'BY DEFAULT', name: 'version_id' })
  versionId: number;

  @Column({ type: 'integer', name: 'module_id' })
  moduleId: number;

  @Column({ type: 'text', nullable: true })
  version: string | null;

  @Column({ type: 'bigint' })
  datestamp: number;

  @Column({ type: 'text' })
  status: string;

  @Column({ type: 'text', nullable: true })
  reason: string | null;

  @Column({ type: 'text' })
  standing: string;

  @Column({ type: 'text', nullable: true })
  recommended: string | null;

  @Column({ type: 'text', nullable: true })
  latest: string | null;

  @Column({ type: 'text', name: 'security_updates', array: true })
  securityUpdates: string[];

  /** What Drupal.org's term `Insecure` says of it: `insecure`, `not_insecure`, `not_listed`; null: there is no release history. */
  @Column({ type: 'text', nullable: true })
  mark: string | null;

  @Column({ type: 'timestamptz', name: 'available_since', nullable: true })
  availableSince: Date | null;

  @Column({ type: 'timestamptz', name: 'released_at', nullable: true })
  releasedAt: Date | null;
}
