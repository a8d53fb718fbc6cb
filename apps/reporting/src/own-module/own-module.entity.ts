import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The releases of a module that an organization declared as its own; they speak of its sites only. A null history: none counts. */
@Entity('own_modules')
@Index('own_modules_module', ['moduleId'])
export class OwnModuleEntity {
  @PrimaryColumn({ type: 'integer', name: 'organization_id' })
  organizationId: number;

  @PrimaryColumn({ type: 'integer', name: 'module_id' })
  moduleId: number;

  @Column({ type: 'uuid', name: 'organization_uuid' })
  organizationUuid: string;

  @Column({ type: 'integer' })
  revision: number;

  @Column({ type: 'timestamptz', name: 'known_at' })
  knownAt: Date;

  @Column({ type: 'jsonb', nullable: true })
  history: object | null;
}
