import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { moduleDetail, moduleSync } from '#libs/contracts';
import type { CustomRelease } from '#libs/contracts';
import { sqlState } from '#libs/database';
import { newId } from '#libs/runtime';
import { mustMatch } from '../http/if-match.js';
import { ProblemError } from '../http/problem.js';
import { People } from '../identity/people.service.js';
import { may, scopeOf } from '../identity/principal.js';
import type { Action } from '../identity/principal.js';
import { Questions } from '../question/questions.service.js';
import { chosenOrganization } from './organization-choice.js';
import type { ChosenOrganization } from './organization-choice.js';
import { OwnModuleChanges } from './own-module-changes.service.js';
import type { Deed, Doer } from './own-module-changes.service.js';
import type { OwnModule, OwnModuleType } from './own-module.entity.js';
import { OwnModuleRepository } from './own-module.repository.js';

/** What people say of their module. */
export interface OwnModuleWords {
  readonly title: string;
  readonly type: OwnModuleType;
  readonly link: string | null;
  readonly releases: readonly CustomRelease[];
}

export interface NewModule extends OwnModuleWords {
  readonly name: string;
  /** UUID; needed only by whoever belongs to several. */
  readonly organization: string | undefined;
}

/** A module after it was changed, and whose it is. */
export interface ChangedModule {
  readonly own: OwnModule;
  readonly organization: ChosenOrganization;
}

/** How long the catalog may take to say whether Drupal.org knows a name; without an answer the name counts as free until it says otherwise. */
const UPSTREAM_DEADLINE_MS = 2_000;
const UNIQUE_VIOLATION = '23505';

/** Declares modules that Drupal.org does not know, changes them and takes them back. Whatever changes is told to the catalog. */
@Injectable()
export class ManageModules {
  constructor(
    private readonly modules: OwnModuleRepository,
    private readonly people: People,
    private readonly questions: Questions,
    private readonly changes: OwnModuleChanges,
  ) {}

  /** @throws ProblemError `validation_failed`, `forbidden`, `module_exists`, `module_known_upstream` */
  async create({ name, organization: uuid, ...words }: NewModule, doer: Doer): Promise<ChangedModule> {
    const { person } = doer;
    const organization = chosenOrganization(uuid, person, await this.people.organizations(scopeOf(person)));
    const deed: Deed = { action: 'module.created', module: name, organizationId: organization.id, doer };
    this.mustBeAllowed(deed, 'edit_sites', organization.id);
    if (await this.isKnownUpstream(name)) {
      throw this.changes.refused(
        deed,
        new ProblemError('module_known_upstream', `Drupal.org has a project named "${name}".`),
      );
    }
    const exists = (): ProblemError =>
      this.changes.refused(deed, new ProblemError('module_exists', `There is a module "${name}" of yours already.`));
    try {
      return await this.changes.unitOfWork.run(async (tx) => {
        const before = await this.modules.row(tx, organization.id, name);
        if (before !== null && before.removedAt === null) throw exists();
        const now = this.changes.now();
        const own = await this.modules.save(tx, {
          // The row of a name stays, so that a declaration after a removal is the greater revision.
          ...(before ?? { uuid: newId(), organizationId: organization.id, module: name, revision: 0 }),
          ...words,
          releases: [...words.releases],
          revision: (before?.revision ?? 0) + 1,
          createdAt: now,
          changedAt: now,
          removedAt: null,
        });
        await this.changes.tell(tx, deed, own, organization.uuid, []);
        return { own, organization };
      });
    } catch (error) {
      if (sqlState(error) === UNIQUE_VIOLATION) throw exists();
      throw error;
    }
  }

  /** Changes what is said; what says the same changes nothing. @throws ProblemError `not_found`, `forbidden`, `module_not_own`, `validation_failed` */
  async change(
    name: string,
    words: Partial<OwnModuleWords>,
    organization: string | undefined,
    doer: Doer,
  ): Promise<ChangedModule> {
    return this.changes.unitOfWork.run(async (tx) => {
      const { own, organization: whose } = await this.mustFind(tx, name, organization, doer);
      const deed: Deed = { action: 'module.changed', module: name, organizationId: own.organizationId, doer };
      this.mustBeAllowed(deed, 'edit_sites', own.organizationId);
      mustMatch(doer.ifMatch, own.revision);
      const changed = Object.entries(words)
        .filter(([member, value]) => !isDeepStrictEqual(own[member as keyof OwnModuleWords], value))
        .map(([member]) => member);
      if (changed.length === 0) return { own, organization: whose };
      const after = await this.modules.save(tx, {
        ...own,
        ...words,
        releases: [...(words.releases ?? own.releases)],
        revision: own.revision + 1,
        changedAt: this.changes.now(),
      });
      await this.changes.tell(tx, deed, after, whose.uuid, changed);
      return { own: after, organization: whose };
    });
  }

  /** @throws ProblemError `not_found`, `forbidden`, `module_not_own`, `validation_failed` */
  async remove(name: string, organization: string | undefined, doer: Doer): Promise<void> {
    await this.changes.unitOfWork.run(async (tx) => {
      const { own, organization: whose } = await this.mustFind(tx, name, organization, doer);
      const deed: Deed = { action: 'module.removed', module: name, organizationId: own.organizationId, doer };
      this.mustBeAllowed(deed, 'administer', own.organizationId);
      mustMatch(doer.ifMatch, own.revision);
      const now = this.changes.now();
      const after = await this.modules.save(tx, {
        ...own,
        revision: own.revision + 1,
        changedAt: now,
        removedAt: now,
      });
      await this.changes.tell(tx, deed, after, whose.uuid, []);
    });
  }

  private async mustFind(
    tx: EntityManager,
    name: string,
    uuid: string | undefined,
    { person }: Doer,
  ): Promise<ChangedModule> {
    const scope = scopeOf(person);
    const visible = await this.people.organizations(scope);
    const declared = await this.modules.find(scope, name, tx);
    const wanted =
      uuid === undefined && declared.length < 2
        ? declared
        : declared.filter(({ organizationId }) => organizationId === chosenOrganization(uuid, person, visible).id);
    const [own] = wanted;
    const whose = visible.find(({ id }) => id === own?.organizationId);
    if (own !== undefined && whose !== undefined) return { own, organization: { id: whose.id, uuid: whose.uuid } };
    const known = await this.questions.ask(moduleDetail, { scope, module: name, page: 1, per_page: 1 });
    if (known === null) throw new ProblemError('not_found', 'Nothing is at this address, or it is not yours to see.');
    throw new ProblemError('module_not_own', 'Only modules that your organization declared can be changed.');
  }

  private mustBeAllowed(deed: Deed, action: Action, organizationId: number): void {
    if (may(deed.doer.person, action, organizationId)) return;
    throw this.changes.refused(deed, new ProblemError('forbidden', 'Your role in the organization does not allow it.'));
  }

  /** A catalog that does not answer keeps nobody waiting: it decides when it takes the declaration. */
  private async isKnownUpstream(module: string): Promise<boolean> {
    if (module === 'drupal') return true;
    try {
      const known = await this.questions.ask(moduleSync, { module }, UPSTREAM_DEADLINE_MS);
      return known?.known_upstream ?? false;
    } catch (error) {
      if (error instanceof ProblemError && error.code === 'unavailable') return false;
      throw error;
    }
  }
}
