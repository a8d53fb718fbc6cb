import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ name: 'organizations' })
export class OrganizationEntity {
  @PrimaryColumn({ name: 'organization_id', type: 'integer', primaryKeyConstraintName: 'organizations_pkey' })
  organizationId: number;

  @Column({ name: 'organization_uuid', type: 'uuid' })
  organizationUuid: string;

  @Column({ type: 'text' })
  name: string;

  @Column({ name: 'time_zone', type: 'text' })
  timeZone: string;

  @Column({ name: 'removed_at', type: 'timestamptz', nullable: true })
  removedAt: Date | null;

  @Column({ type: 'integer' })
  revision: number;
}
