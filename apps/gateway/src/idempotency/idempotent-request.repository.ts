import { Injectable } from '@nestjs/common';
import { DataSource, LessThan } from 'typeorm';
import { IdempotentRequest } from './idempotent-request.entity.js';

/** Requests under Idempotency-Keys. In Postgres, beside what they change: the cache may vanish, and with it they would be done twice. */
@Injectable()
export class IdempotentRequestRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Begins a request, unless one of that name was begun since `since`.
   * @returns null: it is begun; else the one there is
   */
  async begin(keyHash: Buffer, bodyHash: Buffer, now: Date, since: Date): Promise<IdempotentRequest | null> {
    for (let attempt = 0; attempt < 3; attempt++) {
      const begun = await this.dataSource.query<unknown[]>(
        `INSERT INTO idempotent_requests (key_hash, body_hash, started_at) VALUES ($1, $2, $3)
       ON CONFLICT (key_hash) DO UPDATE SET body_hash = $2, started_at = $3, status = NULL, answer = NULL
         WHERE idempotent_requests.started_at < $4
       RETURNING 1`,
        [keyHash, bodyHash, now, since],
      );
      if (begun.length > 0) return null;
      const before = await this.dataSource.manager.findOneBy(IdempotentRequest, { keyHash });
      if (before !== null) return before;
      // Forgotten between the two: it failed, and may be done now.
    }
    throw new Error('an idempotent request is begun and forgotten over and over');
  }

  async keep(keyHash: Buffer, status: number, answer: Buffer): Promise<void> {
    await this.dataSource.manager.update(IdempotentRequest, { keyHash }, { status, answer });
  }

  /** As if it had not been. */
  async forget(keyHash: Buffer): Promise<void> {
    await this.dataSource.manager.delete(IdempotentRequest, { keyHash });
  }

  async forgetOld(before: Date): Promise<void> {
    await this.dataSource.manager.delete(IdempotentRequest, { startedAt: LessThan(before) });
  }
}
