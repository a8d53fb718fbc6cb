import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** One time that asking upstream brought nothing good. The latest of each subject are kept, for some weeks. */
@Entity({ name: 'sync_failures' })
@Index('sync_failures_subject', ['subject', 'failureId'])
@Index('sync_failures_at', ['at'])
export class SyncFailureEntity {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'BY DEFAULT',
    name: 'failure_id',
    primaryKeyConstraintName: 'sync_failures_pkey',
  })
  failureId: string;

  @Column({ type: 'text' })
  subject: string;

  /** null: the subject is no module. */
  @Column({ type: 'text', nullable: true })
  module: string | null;

  @Column({ type: 'text' })
  code: string;

  @Column({ type: 'text', nullable: true })
  detail: string | null;

  @Column({ type: 'timestamptz' })
  at: Date;

  /** Which failure in a row it was. */
  @Column({ type: 'integer' })
  failures: number;
}
