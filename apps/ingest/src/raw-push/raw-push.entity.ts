import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A settled push exactly as it was sent: the audit log. Partitioned by the day of `received_at` (see the migration). */
@Entity({ name: 'raw_pushes' })
export class RawPushEntity {
  @PrimaryColumn({ name: 'site_id', type: 'integer', primaryKeyConstraintName: 'raw_pushes_pkey' })
  siteId: number;

  @PrimaryColumn({ name: 'push_id', type: 'uuid', primaryKeyConstraintName: 'raw_pushes_pkey' })
  pushId: string;

  @PrimaryColumn({ name: 'received_at', type: 'timestamptz', primaryKeyConstraintName: 'raw_pushes_pkey' })
  receivedAt: Date;

  @Column({ name: 'organization_id', type: 'integer' })
  organizationId: number;

  /** `identity` or `gzip`: how `body` is to be read. */
  @Column({ name: 'content_encoding', type: 'text' })
  contentEncoding: string;

  @Column({ type: 'bytea' })
  body: Buffer;
}
