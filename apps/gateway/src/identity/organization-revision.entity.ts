import { Column, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** An organization as it was from one change to the next. */
@Entity('organization_revisions')
@Unique('organization_revisions_revision', ['organizationId', 'revision'])
export class OrganizationRevision {
  @PrimaryGeneratedColumn('identity', {
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'organization_revisions_pkey',
  })
  id: number;

  @Column('integer', { name: 'organization_id' })
  organizationId: number;

  @Column('integer')
  revision: number;

  @Column('text')
  name: string;

  @Column('text', { name: 'time_zone' })
  timeZone: string;

  @Column('boolean', { name: 'requires_second_factor', default: false })
  requiresSecondFactor: boolean;

  /** Its code: the plan itself may be gone. */
  @Column('text')
  plan: string;

  @Column('timestamptz', { name: 'removed_at', nullable: true })
  removedAt: Date | null;

  @Column('timestamptz', { name: 'changed_at' })
  changedAt: Date;

  /** UUID of the person; null: the platform. */
  @Column('uuid', { name: 'changed_by', nullable: true })
  changedBy: string | null;
}
