import { Column, Entity, ForeignKey, PrimaryGeneratedColumn, Unique } from 'typeorm';
import { Plan } from '../plan/plan.entity.js';

/** A tenant: an agency or a client. Everything belongs to one. */
@Entity('organizations')
@Unique('organizations_uuid', ['uuid'])
export class Organization {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', primaryKeyConstraintName: 'organizations_pkey' })
  id: number;

  @Column('uuid')
  uuid: string;

  @Column('text')
  name: string;

  /** IANA zone in which the organization's days and hours are counted. */
  @Column('text', { name: 'time_zone' })
  timeZone: string;

  /** Its members can do nothing until they have turned on a second factor (S30). */
  @Column('boolean', { name: 'requires_second_factor', default: false })
  requiresSecondFactor: boolean;

  @Column('integer', { name: 'plan_id' })
  @ForeignKey(() => Plan, { name: 'organizations_plan' })
  planId: number;

  /** Raised with every change; readers elsewhere keep the greatest. */
  @Column('integer', { default: 1 })
  revision: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'removed_at', nullable: true })
  removedAt: Date | null;
}
