import { Column, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** A site that an agent registered by itself: which agent answers for which address. */
@Entity('enrolments')
@Unique('enrolments_address', ['organizationId', 'address', 'environment'])
export class Enrolment {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', primaryKeyConstraintName: 'enrolments_pkey' })
  id: number;

  @Column('integer', { name: 'organization_id' })
  organizationId: number;

  /** The enrolment key it came with. */
  @Column('integer', { name: 'key_id' })
  keyId: number;

  @Column('integer', { name: 'site_id' })
  siteId: number;

  /** Public id of the site key that the agent was given last. */
  @Column('text', { name: 'site_key_id' })
  siteKeyId: string;

  /** As `siteAddress` writes it: the same for the same site. */
  @Column('text')
  address: string;

  @Column('text')
  environment: string;

  /** What the agent calls itself: a random UUID that it keeps. */
  @Column('uuid', { name: 'agent_id' })
  agentId: string;

  @Column('timestamptz', { name: 'enrolled_at' })
  enrolledAt: Date;
}
