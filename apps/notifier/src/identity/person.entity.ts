import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Somebody who may get mail, as the registry told. */
@Entity({ name: 'people' })
export class PersonEntity {
  @PrimaryColumn({ name: 'user_id', type: 'integer', primaryKeyConstraintName: 'people_pkey' })
  userId: number;

  @Column({ name: 'user_uuid', type: 'uuid' })
  userUuid: string;

  @Column({ type: 'text' })
  email: string;

  @Column({ type: 'text' })
  name: string;

  /** Belongs to every organization. */
  @Column({ type: 'boolean' })
  superuser: boolean;

  @Column({ type: 'boolean' })
  active: boolean;

  @Column({ name: 'organization_ids', type: 'integer', array: true })
  organizationIds: number[];

  @Column({ type: 'integer' })
  revision: number;
}
