import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Scope } from '#libs/contracts';
import { FleetCountsService } from '../fleet-counts/fleet-counts.service.js';
import { OwnModulesService } from '../own-module/own-modules.service.js';
import type { OwnModule } from '../own-module/own-module.js';
import { KnownModulesService } from './known-modules.service.js';
import { listedModule, type ListedModule } from './module-list.js';
import { totalsByModule } from '../fleet-counts/module-totals.js';

/** All modules with the counts of a scope, in no order. */
@Injectable()
export class CountModulesService {
  constructor(
    private readonly fleet: FleetCountsService,
    private readonly known: KnownModulesService,
    private readonly own: OwnModulesService,
  ) {}

  /** Right as of the transaction; every module that anyone knows is among them. */
  async ofScope(tx: EntityManager, scope: Scope): Promise<ListedModule[]> {
    const counts = await (await this.fleet.ofScope(tx, scope)).versions();
    const { modules, versions } = await this.known.get(tx, counts.keys());
    const totals = totalsByModule(counts.values(), versions);
    const own = groupByModule(await this.own.inScope(tx, scope));
    const ownTotals = await this.own.totals(tx, scope, [...own.keys()]);
    return [...modules.values()].map((module) => {
      const declared = own.get(module.moduleId) ?? [];
      const counted = module.listed ? undefined : ownTotals.get(module.moduleId);
      return listedModule(module, counted ?? totals.get(module.moduleId), declared);
    });
  }
}

function groupByModule(declared: readonly OwnModule[]): Map<number, OwnModule[]> {
  const groups = new Map<number, OwnModule[]>();
  for (const own of declared) groups.set(own.moduleId, [...(groups.get(own.moduleId) ?? []), own]);
  return groups;
}
