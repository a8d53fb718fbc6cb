import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Scope } from '#libs/contracts';
import { prepared } from '#libs/database';
import { SqlConditions } from '../reading/sql-conditions.js';

/**
 * SQL of a stamp. `catalog_changes` counts what is known of modules and advisories (by triggers). Of sites it is the versions of their two rows, as
 * Postgres itself tells them apart: every transaction that changes anything of a site writes one of them, or changes the catalog (ADR 0026).
 */
const STAMP = `concat_ws('/', (SELECT sum(changes) FROM catalog_changes), count(*), sum(hashtidextended(s.ctid, s.xmin::text::bigint)),
                         count(u.site_id), sum(hashtidextended(u.ctid, u.xmin::text::bigint)))`;
const FROM = 'FROM sites s LEFT JOIN site_summaries u USING (site_id)';

/** Stamps of what answers rest on: two that are equal, read one after the other, say that nothing has changed in between. */
@Injectable()
export class AnswerStampRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Of all that is in scope. */
  async ofFleet(scope: Scope): Promise<string> {
    const where = new SqlConditions().within(scope, 's');
    const rows = await prepared<{ stamp: string }>(
      this.dataSource,
      `SELECT ${STAMP} AS stamp ${FROM} WHERE ${where.sql}`,
      where.parameters,
    );
    return rows[0]!.stamp;
  }

  /** Of single sites, by UUID; those that are not in scope are left out. */
  async ofSites(scope: Scope, siteUuids: readonly string[]): Promise<Map<string, string>> {
    const where = new SqlConditions().within(scope, 's').add('s.site_uuid = ANY (?::uuid[])', siteUuids);
    const rows = await prepared<{ site_uuid: string; stamp: string }>(
      this.dataSource,
      `SELECT s.site_uuid, ${STAMP} AS stamp ${FROM} WHERE ${where.sql} GROUP BY s.site_uuid`,
      where.parameters,
    );
    return new Map(rows.map(({ site_uuid, stamp }) => [site_uuid, stamp]));
  }
}
