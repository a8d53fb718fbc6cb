import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { ReleaseHistoryDocument } from '#libs/contracts';

/** A module's release history as stored. */
export interface StoredHistory {
  readonly moduleId: number;
  readonly revision: number;
  readonly history: ReleaseHistoryDocument | null;
}

@Injectable()
export class ModuleHistoryRepository {
  async histories(tx: EntityManager, moduleIds: readonly number[]): Promise<StoredHistory[]> {
    if (moduleIds.length === 0) return [];
    return tx.query(`SELECT module_id AS "moduleId", revision, history FROM modules WHERE module_id = ANY ($1)`, [
      moduleIds,
    ]);
  }
}
