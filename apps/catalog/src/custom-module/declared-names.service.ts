import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CustomModuleRepository } from './custom-module.repository.js';

/** Names that are an organization's own affair: Drupal.org is not asked about them. */
@Injectable()
export class DeclaredNamesService {
  constructor(private readonly customModules: CustomModuleRepository) {}

  /**
   * Of `modules`, those that are nobody's business but the organization's: declared by one, and not known at Drupal.org. Holds until the
   * transaction ends. A declaration cannot hide a project of Drupal.org's: one with releases or advisories there is never among them.
   */
  async ownAmong(tx: EntityManager, modules: readonly string[]): Promise<Set<string>> {
    await this.customModules.lockShared(tx);
    return await this.customModules.ownAmong(tx, modules);
  }
}
