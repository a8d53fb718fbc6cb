import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { moduleDetail, RpcOutput, Scope } from '#libs/contracts';
import { compareReleaseOrder, prepareHistory } from '#libs/drupal';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../clock.js';
import { ModuleHistoryService, type ReadHistory } from '../module-history/module-history.service.js';
import { moduleType } from '../module-history/module-type.js';
import { recommendedRelease } from '../module-history/recommended-release.js';
import { sourcesOf } from '../reading/sources.js';
import { markOf } from '../version-status/version-judgement.js';
import type { OwnModule } from '../own-module/own-module.js';
import { OwnModulesService } from '../own-module/own-modules.service.js';
import { ModuleDetailRepository, type KnownModule, type ModuleDetailInput } from './module-detail.repository.js';

/** A module with the release history that counts for who asks. */
export interface FoundModule {
  readonly known: KnownModule;
  readonly own: readonly OwnModule[];
  readonly history: ReadHistory | null;
}

/** Answers what a module is and which sites run it at which versions. */
@Injectable()
export class ReadModuleService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly modules: ModuleDetailRepository,
    private readonly histories: ModuleHistoryService,
    private readonly ownModules: OwnModulesService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** null: neither known to the catalog, nor declared or installed anywhere in scope. @throws UnknownSortError */
  async detail(input: ModuleDetailInput): Promise<RpcOutput<typeof moduleDetail>> {
    return this.dataSource.transaction('REPEATABLE READ', async (tx) => {
      const found = await this.find(tx, input.scope, input.module);
      if (!found) return null;
      const { known, own, history } = found;
      const installed = await this.modules.installed(tx, known.moduleId, input);
      const versions = await this.modules.versions(tx, installed.versions);
      // What only another tenant's sites have told of does not exist here.
      if (!history && versions.length === 0) return null;
      const document = history?.document;
      return {
        module: input.module,
        title: document?.title ?? known.title,
        type: moduleType(document?.type ?? known.type, null),
        link: document?.link ?? known.link,
        origin: known.listed ? ('drupal_org' as const) : own.length > 0 ? ('own' as const) : ('unknown' as const),
        organization_id: !known.listed && own.length === 1 ? own[0]!.organizationUuid : null,
        recommended_version: history && recommendedRelease(history.prepared),
        supported_branches: document?.supported_branches?.split(',').filter(Boolean) ?? [],
        project_status: document?.project_status ?? null,
        releases: document?.releases.length ?? 0,
        versions: (own.length > 0 ? versions.map((row) => ofOwn(row, history)) : versions).sort((a, b) =>
          compareReleaseOrder(b.version ?? '', a.version ?? ''),
        ),
        sites: installed.sites,
        meta: { total: installed.total, as_of: this.clock.now().toISOString() },
      };
    });
  }

  /** null: nobody has told of it. Whether it exists for who asks depends on what his sites run, too. */
  async find(tx: EntityManager, scope: Scope, module: string): Promise<FoundModule | null> {
    const known = await this.modules.find(tx, module);
    if (!known) return null;
    const own = await this.ownModules.inScope(tx, scope, known.moduleId);
    const [declared] = own;
    const history = declared
      ? { document: declared.history, prepared: prepareHistory(declared.history) }
      : await this.histories.history(tx, known);
    return { known, own, history };
  }
}

/** Of an organization's own module its own releases say what is insecure, and there are no advisories. */
function ofOwn<V extends { readonly version: string | null }>(row: V, history: ReadHistory | null): V {
  return { ...row, ...sourcesOf(markOf(history?.prepared ?? null, row.version), null) };
}
