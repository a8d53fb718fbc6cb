import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { listSyncFailures, moduleSync, RpcInput, RpcOutput, SyncState, syncOverview } from '#libs/contracts';
import { asSystem } from '#libs/database';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../clock.js';
import { FEEDS } from './subject.js';
import { SyncReportRepository, type SyncStateRow } from './sync-report.repository.js';

const DAY_MS = 24 * 3_600_000;

/** Answers how fresh the catalog is, and why it is not. */
@Injectable()
export class ReportSyncService {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly dataSource: DataSource,
    private readonly reports: SyncReportRepository,
  ) {}

  async module({ module }: RpcInput<typeof moduleSync>): Promise<RpcOutput<typeof moduleSync>> {
    // Whether anybody declared it, not who.
    const found = await asSystem(() => this.reports.module(this.dataSource.manager, module));
    return (
      found && {
        module: found.module,
        outcome: found.outcome,
        known_upstream: found.known_upstream,
        revision: found.revision,
        known_at: instant(found.known_at),
        sync: found.sync && syncState(found.sync),
      }
    );
  }

  async failures(input: RpcInput<typeof listSyncFailures>): Promise<RpcOutput<typeof listSyncFailures>> {
    const { page, per_page, sort, module, code, from, before } = input;
    const { items, total } = await this.reports.failures(
      this.dataSource.manager,
      { module: module ?? null, codes: code ?? null, from: from ?? null, before: before ?? null },
      { limit: per_page, offset: (page - 1) * per_page, oldestFirst: sort === 'at' },
    );
    return {
      items: items.map((item) => ({ ...item, at: item.at.toISOString() })),
      meta: { total, as_of: this.clock.now().toISOString() },
    };
  }

  async overview(): Promise<RpcOutput<typeof syncOverview>> {
    const now = this.clock.now();
    const reader = this.dataSource.manager;
    const { published, retracted, ...modules } = await this.reports.overview(reader, now);
    const feeds = await this.reports.states(reader, FEEDS);
    const byCode = await this.reports.failuresByCode(reader, new Date(now.getTime() - DAY_MS));
    return {
      as_of: now.toISOString(),
      ...modules,
      feeds: feeds.map(syncState),
      advisories: { published, retracted },
      failures_last_24_hours: Object.fromEntries(byCode),
    };
  }
}

const instant = (date: Date | null): string | null => date && date.toISOString();

function syncState(row: SyncStateRow): SyncState {
  const failed = row.last_outcome === 'failed' || row.last_outcome === 'postponed';
  return {
    subject: row.subject,
    last_success_at: instant(row.last_success_at),
    last_attempt_at: instant(row.last_at),
    last_failure_code: failed ? row.last_code : null,
    last_failure_detail: failed ? row.last_detail : null,
    failures: row.failures,
    stale_since: instant(row.failing_since),
    next_due_at: row.next_due.toISOString(),
  };
}
