import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** A module that some site runs or that the catalog has told of, with its release history when that has arrived (`revision` 0: not yet). */
@Entity('modules')
@Index('modules_module', ['module'], { unique: true })
export class ModuleEntity {
  @PrimaryGeneratedColumn('identity', { type: 'integer', generatedIdentity: 'BY DEFAULT', name: 'module_id' })
  moduleId: number;

  @Column({ type: 'text' })
  module: string;

  @Column({ type: 'text', nullable: true })
  title: string | null;

  @Column({ type: 'text', nullable: true })
  link: string | null;

  @Column({ type: 'text', nullable: true })
  type: string | null;

  @Column({ type: 'text', nullable: true })
  outcome: string | null;

  @Column({ type: 'jsonb', nullable: true })
  history: object | null;

  @Column({ type: 'timestamptz', name: 'known_at', nullable: true })
  knownAt: Date | null;

  @Column({ type: 'integer', default: 0 })
  revision: number;
}
