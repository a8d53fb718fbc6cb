import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** What a host may get. */
export interface HostRate {
  readonly host: string;
  readonly ratePerSecond: number;
  /** How far ahead of now requests are given out, in milliseconds. */
  readonly horizonMs: number;
}

/**
 * One rate for a host, however many replicas ask it: each takes from the same row what it is about to ask. The gate of each process spaces what
 * it took.
 */
@Injectable()
export class UpstreamBudgetRepository {
  /** How many requests may be taken now; locked until the transaction ends. */
  async left(tx: EntityManager, { host, ratePerSecond, horizonMs }: HostRate, now: Date): Promise<number> {
    await tx.query('INSERT INTO upstream_budgets (host, given_until) VALUES ($1, $2) ON CONFLICT (host) DO NOTHING', [
      host,
      now,
    ]);
    const [row]: { given_until: Date }[] = await tx.query(
      'SELECT given_until FROM upstream_budgets WHERE host = $1 FOR UPDATE',
      [host],
    );
    const aheadMs = Math.max(0, row!.given_until.getTime() - now.getTime());
    return Math.max(0, Math.floor(((horizonMs - aheadMs) * ratePerSecond) / 1000));
  }

  async take(tx: EntityManager, { host, ratePerSecond }: HostRate, requests: number, now: Date): Promise<void> {
    await tx.query(
      `UPDATE upstream_budgets SET given_until = greatest(given_until, $2) + $3 * interval '1 millisecond' WHERE host = $1`,
      [host, now, (requests * 1000) / ratePerSecond],
    );
  }
}
