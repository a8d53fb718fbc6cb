import { Inject, Injectable } from '@nestjs/common';
import type { moduleDetail, RpcOutput } from '#libs/contracts';
import { compareReleaseOrder, prepareHistory, type PreparedHistory } from '#libs/drupal';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../clock.js';
import { ModuleDetailRepository, type ModuleDetailInput } from './module-detail.repository.js';

/** Answers what a module is and which sites run it at which versions. */
@Injectable()
export class ReadModuleService {
  constructor(
    private readonly modules: ModuleDetailRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** null: neither known to the catalog nor installed anywhere in scope. @throws UnknownSortError */
  async detail(input: ModuleDetailInput): Promise<RpcOutput<typeof moduleDetail>> {
    const known = await this.modules.find(input.module);
    if (!known) return null;
    const { items, total } = await this.modules.sites(known.moduleId, input);
    const versions = await this.modules.versions(known.moduleId, input);
    // What only another tenant's sites have told of does not exist here.
    if (!known.history && versions.length === 0) return null;
    const history = known.history && prepareHistory(known.history);
    return {
      module: input.module,
      title: known.title,
      type: known.type,
      link: known.link,
      recommended_version: history && recommendedRelease(history),
      supported_branches: known.history?.supported_branches?.split(',').filter(Boolean) ?? [],
      project_status: known.history?.project_status ?? null,
      releases: known.history?.releases.length ?? 0,
      versions: versions.sort((a, b) => compareReleaseOrder(b.version ?? '', a.version ?? '')),
      sites: items,
      meta: { total, as_of: this.clock.now().toISOString() },
    };
  }
}

/** What one would install today: the first stable release in feed order that is supported and not insecure; else the first at all. */
function recommendedRelease({ walk }: PreparedHistory): string | null {
  const sound = walk.filter(
    (release) => release.published && release.supported && !release.insecure && release.extra !== 'dev',
  );
  return (sound.find((release) => release.extra === null) ?? sound[0])?.version ?? null;
}
