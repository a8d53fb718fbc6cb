import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { MODULE_SORTS, type listModules, type RpcOutput } from '#libs/contracts';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../clock.js';
import { ModuleHistoryService, summaryOf } from '../module-history/module-history.service.js';
import { pageOf } from '../reading/list-page.js';
import { sortingOf } from '../reading/sorting.js';
import { CountModulesService } from './count-modules.service.js';
import { isWanted, sortValue, type ModuleListInput } from './module-list.js';

/** Answers which modules there are for someone, and how his sites stand to them. */
@Injectable()
export class ListModulesService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly modules: CountModulesService,
    private readonly histories: ModuleHistoryService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws UnknownSortError, InvalidCursorError */
  async list(input: ModuleListInput): Promise<RpcOutput<typeof listModules>> {
    const sorting = sortingOf(input.sort, MODULE_SORTS, '-security_updates');
    const now = this.clock.now();
    return this.dataSource.transaction('REPEATABLE READ', async (tx) => {
      const listed = await this.modules.ofScope(tx, input.scope);
      const { items, total, next } = pageOf(
        listed.filter((module) => isWanted(module, input)),
        { sorting, valueOf: (module) => sortValue(module, sorting.field), idOf: ({ row }) => row.module },
        input,
      );
      const histories = await this.histories.summarize(tx, items);
      return {
        items: items.map(({ moduleId, own, row }) => {
          const { recommended, latestReleaseAt } = own ? summaryOf(own.history) : histories.get(moduleId)!;
          return {
            ...row,
            recommended_version: recommended,
            latest_release_at: latestReleaseAt?.toISOString() ?? null,
          };
        }),
        meta: { total, as_of: now.toISOString() },
        next,
      };
    });
  }
}
