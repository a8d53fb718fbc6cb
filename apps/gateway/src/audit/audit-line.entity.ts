import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** One line of the audit log: who did or tried what, and how it went. The table takes inserts only; a trigger refuses the rest. */
@Entity('audit_log', { comment: 'append-only' })
@Index('audit_log_organization', ['organizationId', 'at'])
@Index('audit_log_organization_id', ['organizationId', 'id'])
@Index('audit_log_at', ['at'])
export class AuditLine {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'audit_log_pkey',
  })
  id: number;

  /** null: nobody's (a log-in that failed) or the platform's. */
  @Column('integer', { name: 'organization_id', nullable: true })
  organizationId: number | null;

  @Column('timestamptz')
  at: Date;

  /** `push.refused`, `site.created`, `login.failed`, … */
  @Column('text')
  action: string;

  /** `done` or `refused`. */
  @Column('text')
  outcome: string;

  /** Stable code of a refusal. */
  @Column('text', { nullable: true })
  reason: string | null;

  /** `user:<uuid>`, `key:<public id>`, `anonymous`, `platform`. */
  @Column('text')
  actor: string;

  /** `site:<uuid>`, `user:<uuid>`, …; null: nothing in particular. */
  @Column('text', { nullable: true })
  subject: string | null;

  @Column('text', { nullable: true })
  address: string | null;

  @Column('text', { name: 'request_id', nullable: true })
  requestId: string | null;

  /** How often it happened since the line before of the same kind: floods become one line. */
  @Column('integer', { default: 1 })
  occurrences: number;

  @Column('jsonb', { default: {} })
  detail: Record<string, unknown>;
}
