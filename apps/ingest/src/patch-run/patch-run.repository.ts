import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { instants, numbers, texts } from '#libs/database';
import type { PatchRun } from './patch-run.js';

@Injectable()
export class PatchRunRepository {
  async insert(tx: EntityManager, runs: readonly PatchRun[]): Promise<void> {
    if (runs.length === 0) return;
    await tx.query(
      `INSERT INTO patch_runs (site_id, organization_id, push_id, epoch, sequence, after, observed_at, items)
       SELECT * FROM unnest($1::int[], $2::int[], $3::uuid[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::timestamptz[], $8::jsonb[])`,
      [
        numbers(runs.map((run) => run.siteId)),
        numbers(runs.map((run) => run.organizationId)),
        texts(runs.map((run) => run.pushId)),
        numbers(runs.map((run) => run.epoch)),
        numbers(runs.map((run) => run.sequence)),
        instants(runs.map((run) => run.after)),
        instants(runs.map((run) => run.observedAt)),
        texts(runs.map((run) => JSON.stringify(run.items))),
      ],
    );
  }
}
