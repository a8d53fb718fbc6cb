import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { RawPushRepository, type RawPush } from './raw-push.repository.js';

/** The audit log of what was really sent. */
@Injectable()
export class RawPushesService {
  constructor(private readonly rawPushes: RawPushRepository) {}

  keep(tx: EntityManager, pushes: readonly RawPush[]): Promise<void> {
    return this.rawPushes.insert(tx, pushes);
  }

  /** Lets go of what was received before `before`: whole days at once, and up to `limit` rows besides. @returns how many of both. */
  async forget(manager: EntityManager, before: Date, limit: number): Promise<number> {
    const days = Math.floor((Date.now() - before.getTime()) / 86_400_000);
    const dropped = await this.rawPushes.dropPartitions(manager, Math.max(1, days));
    return dropped + (await this.rawPushes.removeStragglers(manager, before, limit));
  }
}
