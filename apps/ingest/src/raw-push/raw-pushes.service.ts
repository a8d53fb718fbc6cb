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
}
