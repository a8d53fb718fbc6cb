import { Injectable } from '@nestjs/common';
import { DataSource, In, LessThan } from 'typeorm';
import { AuditLine } from './audit-line.entity.js';

export interface AuditFilter {
  /** null: everybody's and nobody's. */
  readonly organizationIds: readonly number[] | null;
  readonly action?: readonly string[] | undefined;
  readonly outcome?: readonly string[] | undefined;
  readonly actor?: string | undefined;
  readonly subject?: string | undefined;
  readonly from?: string | undefined;
  readonly before?: string | undefined;
}

/** The lines of the log, for readers. */
@Injectable()
export class AuditLineRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** The newest first, at most `most` that are older than the line `after`. */
  find(filter: AuditFilter, after: number | null, most: number): Promise<AuditLine[]> {
    const { organizationIds, action, outcome, actor, subject, from, before } = filter;
    const query = this.dataSource.manager.createQueryBuilder(AuditLine, 'line').where({
      ...(organizationIds === null ? {} : { organizationId: In(organizationIds) }),
      ...(after === null ? {} : { id: LessThan(after) }),
      ...(action === undefined ? {} : { action: In(action) }),
      ...(outcome === undefined ? {} : { outcome: In(outcome) }),
      ...(actor === undefined ? {} : { actor }),
      ...(subject === undefined ? {} : { subject }),
    });
    if (from !== undefined) query.andWhere('line.at >= :from', { from });
    if (before !== undefined) query.andWhere('line.at < :before', { before });
    return query.orderBy('line.id', 'DESC').take(most).getMany();
  }
}
