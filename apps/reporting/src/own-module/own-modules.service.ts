import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Scope } from '#libs/contracts';
import { addVersion, noTotals, type ModuleTotals } from '../fleet-counts/module-totals.js';
import type { OwnModule } from './own-module.js';
import { OwnModuleRepository } from './own-module.repository.js';

/** Reads the modules that organizations declared as their own: tenant data. */
@Injectable()
export class OwnModulesService {
  constructor(private readonly own: OwnModuleRepository) {}

  /** The declarations that count for who asks, by organization; of one module, or all. */
  inScope(tx: EntityManager, scope: Scope, moduleId: number | null = null): Promise<OwnModule[]> {
    return this.own.inScope(tx, scope, moduleId);
  }

  /** How the sites in scope stand to own modules. */
  async totals(tx: EntityManager, scope: Scope, moduleIds: readonly number[]): Promise<Map<number, ModuleTotals>> {
    const totals = new Map<number, ModuleTotals>();
    const versions = new Map<number, Set<number>>();
    for (const count of await this.own.counts(tx, scope, moduleIds)) {
      const ofModule = totals.get(count.moduleId) ?? noTotals();
      // There are no advisories on own modules.
      addVersion(ofModule, { ...count, unjudged: 0 }, count);
      // Two organizations may hear different things of one version: it is still one.
      const seen = (versions.get(count.moduleId) ?? new Set()).add(count.versionId);
      versions.set(count.moduleId, seen);
      totals.set(count.moduleId, { ...ofModule, versions: seen.size });
    }
    return totals;
  }
}
