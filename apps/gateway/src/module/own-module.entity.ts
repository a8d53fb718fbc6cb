import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import type { CustomModuleChanged, CustomRelease } from '#libs/contracts';

export const MODULE_TYPES = ['module', 'theme', 'profile'] as const;
export type OwnModuleType = CustomModuleChanged['type'];

/** A module that an organization declared as its own, because Drupal.org does not know it. The row of a name stays when it is removed: its revision goes on. */
@Entity('own_modules')
@Index('own_modules_organization_module', ['organizationId', 'module'], { unique: true })
export class OwnModule {
  @PrimaryGeneratedColumn('identity', {
    type: 'integer',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'own_modules_pkey',
  })
  id: number;

  @Column('uuid')
  uuid: string;

  @Column('integer', { name: 'organization_id' })
  organizationId: number;

  /** Machine name. */
  @Column('text')
  module: string;

  @Column('text')
  title: string;

  @Column('text')
  type: OwnModuleType;

  @Column('text', { nullable: true })
  link: string | null;

  @Column('jsonb')
  releases: CustomRelease[];

  @Column('integer')
  revision: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'changed_at' })
  changedAt: Date;

  @Column('timestamptz', { name: 'removed_at', nullable: true })
  removedAt: Date | null;
}
