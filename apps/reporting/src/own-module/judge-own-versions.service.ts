import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { CustomReleasesChanged } from '#libs/contracts';
import { prepareHistory } from '#libs/drupal';
import { judgeStatus, type InstalledVersion } from '../version-status/version-judgement.js';
import type { OwnModule } from './own-module.js';
import { OwnModuleRepository, type OwnStatus } from './own-module.repository.js';

type OfModule = InstalledVersion & { readonly moduleId: number };

/** Keeps what organizations' own release histories say of versions in step. The caller holds the modules' locks. */
@Injectable()
export class JudgeOwnVersionsService {
  constructor(private readonly own: OwnModuleRepository) {}

  /** Stores declarations; of one organization's module the greatest revision counts. Returns the modules that changed. */
  take(
    tx: EntityManager,
    changes: readonly CustomReleasesChanged[],
    moduleIds: ReadonlyMap<string, number>,
  ): Promise<number[]> {
    return this.own.store(tx, changes, moduleIds);
  }

  /** Judges every known version of modules anew, for whoever declared them. */
  async rejudge(tx: EntityManager, moduleIds: readonly number[]): Promise<void> {
    if (moduleIds.length === 0) return;
    const declared = await this.own.ofModules(tx, moduleIds);
    await this.own.removeStatuses(tx, moduleIds);
    if (declared.length === 0) return;
    await this.own.addStatuses(tx, statusesOf(declared, await this.own.versionsOf(tx, moduleIds)));
  }

  /** Judges versions that were not known before. */
  async judgeAdded(tx: EntityManager, added: readonly OfModule[]): Promise<void> {
    const declared = await this.own.ofModules(tx, [...new Set(added.map(({ moduleId }) => moduleId))]);
    if (declared.length > 0) await this.own.addStatuses(tx, statusesOf(declared, added));
  }
}

function statusesOf(declared: readonly OwnModule[], versions: readonly OfModule[]): OwnStatus[] {
  return declared.flatMap(({ organizationId, moduleId, module, knownAt, history }) => {
    const known = { module, arrived: true, history: prepareHistory(history), knownAt };
    return versions
      .filter((version) => version.moduleId === moduleId)
      .map((version) => ({ organizationId, ...judgeStatus(version, known) }));
  });
}
