import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { KnownModuleRepository, type SeenModule } from './known-module.repository.js';

/** Names of Drupal.org's projects number some fifty thousand; a site that invents names must not fill the memory. */
const REMEMBERED_MODULES = 100_000;

/** Which Drupal.org projects the platform has met. */
@Injectable()
export class KnownModulesService {
  /** In `known_modules` for certain, because the transaction that put or found them there has committed. */
  private remembered = new Set<string>();

  constructor(private readonly knownModules: KnownModuleRepository) {}

  /** @returns the modules that nobody had met before, and what to do after the commit. */
  async meet<T extends SeenModule>(
    tx: EntityManager,
    modules: readonly T[],
    now: Date,
  ): Promise<{ unseen: T[]; afterCommit: () => void }> {
    const doubtful = modules.filter(({ module }) => !this.remembered.has(module));
    const added = await this.knownModules.remember(tx, doubtful, now);
    return {
      unseen: doubtful.filter(({ module }) => added.has(module)),
      afterCommit: () => {
        if (this.remembered.size + doubtful.length > REMEMBERED_MODULES) this.remembered = new Set();
        for (const { module } of doubtful) this.remembered.add(module);
      },
    };
  }
}
