import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** A Drupal.org project that some site runs. */
@Entity({ name: 'modules' })
@Index('modules_module', ['module'], { unique: true })
export class ModuleEntity {
  @PrimaryGeneratedColumn('identity', {
    type: 'integer',
    generatedIdentity: 'BY DEFAULT',
    name: 'module_id',
    primaryKeyConstraintName: 'modules_pkey',
  })
  moduleId: number;

  @Column({ type: 'text' })
  module: string;

  /** As the first site that reported it said. */
  @Column({ type: 'text' })
  type: string;

  @Column({ type: 'text', nullable: true })
  title: string | null;

  @Column({ type: 'text', nullable: true })
  link: string | null;

  @Column({ name: 'first_seen_at', type: 'timestamptz' })
  firstSeenAt: Date;

  /** `ok` or `not_found`; null: never asked successfully. */
  @Column({ type: 'text', nullable: true })
  outcome: string | null;

  /** Grows with every change of content; 0: nothing is known yet. */
  @Column({ type: 'integer', default: 0 })
  revision: number;

  /** When the present content was first seen. */
  @Column({ name: 'known_at', type: 'timestamptz', nullable: true })
  knownAt: Date | null;
}
