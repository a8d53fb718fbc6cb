import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** First keys of this service's advisory locks: "modules under assessment", "advisories under assessment". */
const LOCK_SPACE = 7_201;
const ADVISORY_LOCK_SPACE = 7_202;

/** Locks of one transaction, in a bounded number of buckets, because Postgres keeps every advisory lock in shared memory. */
@Injectable()
export class AssessmentLockRepository {
  /** @param buckets ascending: two transactions that want several must want them in the same order. */
  async share(tx: EntityManager, buckets: readonly number[]): Promise<void> {
    await tx.query(`SELECT count(pg_advisory_xact_lock_shared($1, bucket)) FROM unnest($2::int[]) AS bucket`, [
      LOCK_SPACE,
      buckets,
    ]);
  }

  /** @param buckets ascending. */
  async exclude(tx: EntityManager, buckets: readonly number[]): Promise<void> {
    await tx.query(`SELECT count(pg_advisory_xact_lock($1, bucket)) FROM unnest($2::int[]) AS bucket`, [
      LOCK_SPACE,
      buckets,
    ]);
  }

  /** As `exclude`, in a space of its own. */
  async excludeAdvisories(tx: EntityManager, buckets: readonly number[]): Promise<void> {
    await tx.query(`SELECT count(pg_advisory_xact_lock($1, bucket)) FROM unnest($2::int[]) AS bucket`, [
      ADVISORY_LOCK_SPACE,
      buckets,
    ]);
  }
}
