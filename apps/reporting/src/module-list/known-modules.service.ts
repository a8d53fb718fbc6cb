import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { KnownModulesRepository, type KnownVersion } from './known-modules.repository.js';
import type { ModuleFacts } from './module-list.js';

/** All modules, and the versions that were asked for. */
export interface KnownModules {
  readonly modules: ReadonlyMap<number, ModuleFacts>;
  readonly versions: ReadonlyMap<number, KnownVersion>;
}

/**
 * What is known of modules and versions, without their histories: the same for every tenant, and read again only as far as it changed.
 */
@Injectable()
export class KnownModulesService {
  private stamp = '';
  private readonly modules = new Map<number, ModuleFacts>();
  private readonly versions = new Map<number, KnownVersion>();

  constructor(private readonly known: KnownModulesRepository) {}

  /** Right as of the transaction. @param versionIds must be among the versions */
  async get(tx: EntityManager, versionIds: Iterable<number>): Promise<KnownModules> {
    const stamp = await this.known.stamp(tx);
    const changed = stamp === this.stamp ? [] : await this.changedModules(tx);
    const missing = [...versionIds].filter((versionId) => !this.isKnown(versionId));
    if (changed.length > 0 || missing.length > 0) {
      const modules = changed.length > 0 ? await this.known.modules(tx, changed) : [];
      const versions = await this.known.versions(tx, changed, missing);
      // All at once, after the last wait: whoever asks meanwhile sees the state before or the one after.
      for (const module of modules) this.modules.set(module.moduleId, module);
      for (const version of versions) this.versions.set(version.versionId, version);
    }
    this.stamp = stamp;
    return { modules: this.modules, versions: this.versions };
  }

  /** A reader with an older snapshot may have left what was said before the module changed. */
  private isKnown(versionId: number): boolean {
    const version = this.versions.get(versionId);
    return version !== undefined && version.revision === this.modules.get(version.moduleId)?.revision;
  }

  private async changedModules(tx: EntityManager): Promise<number[]> {
    const revisions = await this.known.revisions(tx);
    return revisions
      .filter(({ moduleId, revision }) => this.modules.get(moduleId)?.revision !== revision)
      .map(({ moduleId }) => moduleId);
  }
}
