import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { PatchRun } from './patch-run.js';
import { PatchRunRepository } from './patch-run.repository.js';

@Injectable()
export class PatchRunsService {
  constructor(private readonly patchRuns: PatchRunRepository) {}

  record(tx: EntityManager, runs: readonly PatchRun[]): Promise<void> {
    return this.patchRuns.insert(tx, runs);
  }
}
