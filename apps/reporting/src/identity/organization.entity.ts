import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A tenant as its registry knows it. */
@Entity('organizations')
export class OrganizationEntity {
  @PrimaryColumn({ type: 'integer', name: 'organization_id' })
  organizationId: number;

  @Column({ type: 'uuid', name: 'organization_uuid' })
  organizationUuid: string;

  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'text', name: 'time_zone' })
  timeZone: string;

  @Column({ type: 'timestamptz', name: 'removed_at', nullable: true })
  removedAt: Date | null;

  @Column({ type: 'integer' })
  revision: number;
}
