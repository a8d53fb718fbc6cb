import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** One link of the chain over the audit log. The table takes inserts only; a trigger refuses the rest. */
@Entity('audit_seals', { comment: 'append-only' })
@Unique('audit_seals_line', ['lineId'])
@Check('audit_seals_seal', `octet_length("seal") = 32`)
export class AuditSeal {
  /** 1, 2, 3, …: the order in which lines were sealed. */
  @PrimaryColumn('bigint', { primaryKeyConstraintName: 'audit_seals_pkey' })
  position: number;

  @Column('bigint', { name: 'line_id' })
  lineId: number;

  /** Over the line and the seal before it; see `seal-chain.ts`. */
  @Column('bytea')
  seal: Buffer;
}

/** A line that has no seal yet. A trigger of the log writes these, so that no writer can forget it. */
@Entity('audit_unsealed')
export class UnsealedLine {
  @PrimaryColumn('bigint', { name: 'line_id', primaryKeyConstraintName: 'audit_unsealed_pkey' })
  lineId: number;
}
