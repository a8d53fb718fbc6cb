import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { customReleasesChanged } from '#libs/contracts';
import type { CustomModuleChanged, RpcInput, RpcOutput, customModules } from '#libs/contracts';
import { prepareHistory, projectStatus, type PreparedHistory } from '#libs/drupal';
import { OUTBOX, type Outbox } from '#libs/outbox';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../clock.js';
import { FollowModulesService } from '../module/follow-modules.service.js';
import { customHistory } from './custom-history.js';
import { CustomModuleRepository } from './custom-module.repository.js';

type Answer = RpcOutput<typeof customModules>;

/** Keeps the modules that organizations declared as their own, and keeps them from being asked for. */
@Injectable()
export class TakeCustomModulesService {
  constructor(
    @Inject(OUTBOX) private readonly outbox: Outbox,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly dataSource: DataSource,
    private readonly follow: FollowModulesService,
    private readonly customModules: CustomModuleRepository,
  ) {}

  /** Of one organization's module the greatest revision counts, whatever the order of arrival. */
  async take(tx: EntityManager, changes: readonly CustomModuleChanged[]): Promise<void> {
    if (changes.length === 0) return;
    await this.customModules.lockAlone(tx);
    const newest = new Map<string, CustomModuleChanged>();
    for (const change of changes) {
      const key = `${change.organization_id} ${change.module}`;
      const known = newest.get(key);
      if (!known || known.revision < change.revision) newest.set(key, change);
    }
    const now = this.clock.now();
    const changed = await this.customModules.store(
      tx,
      [...newest.values()].map((change) => ({
        organizationId: change.organization_id,
        customModuleUuid: change.custom_module_uuid,
        module: change.module,
        revision: change.revision,
        removedAt: change.removed_at,
        history: customHistory(change),
      })),
      now,
    );
    const own = await this.customModules.ownAmong(
      tx,
      changed.map(({ module }) => module),
    );
    await this.outbox.add(
      tx,
      changed.map(({ organizationId, module }) => {
        const change = newest.get(`${organizationId} ${module}`)!;
        const counts = own.has(module) && change.removed_at === null;
        return {
          event: customReleasesChanged,
          organizationId,
          key: module,
          body: {
            organization_id: organizationId,
            organization_uuid: change.organization_uuid,
            module,
            revision: change.revision,
            known_at: now.toISOString(),
            history: counts ? customHistory(change) : null,
          },
          occurredAt: now,
        };
      }),
    );
    await this.follow.reconsider(tx, [...new Set(changed.map(({ module }) => module))].sort());
  }

  /** What stands, with what would be said of each version. */
  async list({ scope, modules }: RpcInput<typeof customModules>): Promise<Answer> {
    const found = await this.customModules.list(this.dataSource.manager, scope, modules ?? null);
    return {
      items: found.map(({ organizationId, module, revision, takenAt, knownUpstream, history }) => {
        const prepared = prepareHistory(history);
        return {
          organization_id: organizationId,
          module,
          revision,
          taken_at: takenAt.toISOString(),
          state: knownUpstream ? ('known_upstream' as const) : ('own' as const),
          versions: history.releases.map(({ version }) => versionOf(module, version, prepared)),
        };
      }),
    };
  }
}

function versionOf(
  module: string,
  version: string,
  history: PreparedHistory,
): Answer['items'][number]['versions'][number] {
  const { status, recommended, securityUpdates } = projectStatus({ project: module, version }, history);
  return {
    version,
    status: status.toLowerCase() as Answer['items'][number]['versions'][number]['status'],
    recommended,
    security_updates: securityUpdates,
  };
}
