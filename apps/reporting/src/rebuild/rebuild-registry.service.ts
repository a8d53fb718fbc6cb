import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { OrganizationChanged, SiteChanged } from '#libs/contracts';
import { FollowRegistryService } from '../identity/follow-registry.service.js';
import { ForgetModelsRepository } from './forget-models.repository.js';
import { ModelSnapshotRepository } from './model-snapshot.repository.js';
import { compareModels, type Comparison } from './read-model-comparison.js';

/** Rebuilds what is known of organizations and sites. */
@Injectable()
export class RebuildRegistryService {
  constructor(
    private readonly forget: ForgetModelsRepository,
    private readonly snapshots: ModelSnapshotRepository,
    private readonly registry: FollowRegistryService,
  ) {}

  /** @returns what became different, and whether the models were only behind: they had an older revision, or none. */
  async rebuild(
    tx: EntityManager,
    organizations: readonly OrganizationChanged[],
    sites: readonly SiteChanged[],
  ): Promise<Comparison & { behind: boolean }> {
    const ids = [organizations.map((row) => row.organization_id), sites.map((row) => row.site_id)] as const;
    const before = await this.snapshots.ofRegistry(tx, ...ids);
    await this.forget.registry(tx, organizations, sites);
    await this.registry.follow(tx, organizations, sites);
    const comparison = compareModels('the registry', before, await this.snapshots.ofRegistry(tx, ...ids));
    const { differences } = comparison;
    const behind =
      differences.length > 0 &&
      differences.every(
        ({ kind, columns }) => kind === 'missing' || columns.some((column) => column.startsWith('revision:')),
      );
    return { ...comparison, behind };
  }
}
