import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A module that an organization declared as its own, as the registry last told of it. Tenant data. */
@Entity({ name: 'custom_modules' })
@Index('custom_modules_module', ['module'])
export class CustomModuleEntity {
  @PrimaryColumn({ name: 'organization_id', type: 'integer', primaryKeyConstraintName: 'custom_modules_pkey' })
  organizationId: number;

  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'custom_modules_pkey' })
  module: string;

  @Column({ name: 'custom_module_uuid', type: 'uuid' })
  customModuleUuid: string;

  @Column({ type: 'integer' })
  revision: number;

  @Column({ name: 'taken_at', type: 'timestamptz' })
  takenAt: Date;

  @Column({ name: 'removed_at', type: 'timestamptz', nullable: true })
  removedAt: Date | null;

  /** Its releases in the form of a release history. */
  @Column({ type: 'jsonb' })
  history: object;
}
