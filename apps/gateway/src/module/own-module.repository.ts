import { Injectable } from '@nestjs/common';
import { DataSource, In, IsNull } from 'typeorm';
import type { EntityManager, FindOptionsWhere } from 'typeorm';
import type { Scope } from '#libs/contracts';
import { OwnModule } from './own-module.entity.js';

/** The registry of organizations' own modules. Every read takes the scope of who asks; what lies outside does not exist. */
@Injectable()
export class OwnModuleRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** The declarations of a name in scope, by organization. With `tx` their rows are locked. */
  find(scope: Scope, module: string, tx?: EntityManager): Promise<OwnModule[]> {
    // No name has it, and Postgres cannot even be asked.
    if (module.includes('\0')) return Promise.resolve([]);
    return (tx ?? this.dataSource.manager).find(OwnModule, {
      where: { module, removedAt: IsNull(), ...within(scope) },
      order: { organizationId: 'ASC' },
      ...(tx === undefined ? {} : { lock: { mode: 'pessimistic_write' as const } }),
    });
  }

  /** The row of a name, removed or not, locked. Before it exists nothing is locked: two that add it at once meet at its index. */
  row(tx: EntityManager, organizationId: number, module: string): Promise<OwnModule | null> {
    return tx.findOne(OwnModule, {
      where: { organizationId, module },
      lock: { mode: 'pessimistic_write' },
    });
  }

  save(tx: EntityManager, module: Omit<OwnModule, 'id'> & { readonly id?: number }): Promise<OwnModule> {
    return tx.save(OwnModule, module as OwnModule);
  }
}

function within(scope: Scope): FindOptionsWhere<OwnModule> {
  return scope.organization_ids === null ? {} : { organizationId: In(scope.organization_ids) };
}
