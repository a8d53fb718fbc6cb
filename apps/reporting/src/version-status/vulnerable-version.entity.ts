import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What one cause says of one version: `affected` from `unsafe_from` on, or `unknown`. No row: unaffected. Cause 0 is Drupal.org’s own mark, any other an advisory. */
@Entity('vulnerable_versions')
@Index('vulnerable_versions_module', ['moduleId', 'causeId'])
export class VulnerableVersionEntity {
  @PrimaryColumn({ type: 'integer', name: 'version_id' })
  versionId: number;

  @PrimaryColumn({ type: 'integer', name: 'cause_id' })
  causeId: number;

  @Column({ type: 'integer', name: 'module_id' })
  moduleId: number;

  @Column({ type: 'text' })
  verdict: string;

  @Column({ type: 'timestamptz', name: 'unsafe_from', nullable: true })
  unsafeFrom: Date | null;

  @Column({ type: 'text', name: 'fixed_in', array: true, nullable: true })
  fixedIn: string[] | null;
}
