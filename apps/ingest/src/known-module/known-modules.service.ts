import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { KnownModuleRepository, type SeenModule } from './known-module.repository.js';

/** Names of Drupal.org's projects number some fifty thousand; a site that invents names must not fill the memory. */
const REMEMBERED_MODULES = 100_000;

/** What a machine name on Drupal.org can be. A site may claim any; only these are worth asking Drupal.org about. */
const MACHINE_NAME = /^[a-z0-9][a-z0-9_.-]{0,127}$/i;

/** Which Drupal.org projects the platform has met. */
@Injectable()
export class KnownModulesService {
  /** In `known_modules` for certain, because the transaction that put or found them there has committed. */
  private remembered = new Set<string>();

  constructor(private readonly knownModules: KnownModuleRepository) {}

  /** @returns the modules that nobody had met before, and what to do after the commit. */
  async meet<T extends SeenModule>(
    tx: EntityManager,
    modules: Iterable<T>,
    now: Date,
  ): Promise<{ unseen: T[]; afterCommit: () => void }> {
    const doubtful = new Map<string, T>();
    for (const item of modules) {
      if (this.remembered.has(item.module) || doubtful.has(item.module)) continue;
      if (MACHINE_NAME.test(item.module)) doubtful.set(item.module, item);
    }
    const added = await this.knownModules.remember(tx, [...doubtful.values()], now);
    return {
      unseen: [...doubtful.values()].filter(({ module }) => added.has(module)),
      afterCommit: () => {
        if (this.remembered.size + doubtful.size > REMEMBERED_MODULES) this.remembered = new Set();
        for (const module of doubtful.keys()) this.remembered.add(module);
      },
    };
  }
}
