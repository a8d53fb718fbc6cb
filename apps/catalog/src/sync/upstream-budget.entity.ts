import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The requests that a host may get, over all replicas: those until `given_until`, at the host's rate, are given out. */
@Entity({ name: 'upstream_budgets' })
export class UpstreamBudgetEntity {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'upstream_budgets_pkey' })
  host: string;

  @Column({ name: 'given_until', type: 'timestamptz' })
  givenUntil: Date;
}
