import { Injectable } from '@nestjs/common';
import { customModules, listModules, moduleDetail, moduleSync, moduleVersions } from '#libs/contracts';
import type { ModuleRow, RpcInput, RpcOutput, Scope } from '#libs/contracts';
import { csvPieces } from '../exposure/csv.js';
import type { Columns } from '../exposure/csv.js';
import { isModuleName } from '../http/parameters.js';
import { ProblemError } from '../http/problem.js';
import { People } from '../identity/people.service.js';
import { given } from '../question/given.js';
import { Questions } from '../question/questions.service.js';
import { writtenList, type WrittenList } from '../question/written-list.js';
import type { ModuleListQuery, ModuleQuery, ModuleVersionsQuery } from './module.dto.js';
import type { OwnModule } from './own-module.entity.js';
import { OwnModuleRepository } from './own-module.repository.js';
import type { CatalogState, OwnModuleAnswer } from './own-module.schema.js';

type Input = RpcInput<typeof listModules>;
type Detail = NonNullable<RpcOutput<typeof moduleDetail>>;
type Versions = NonNullable<RpcOutput<typeof moduleVersions>>;

/** Rows of one question of an export: the most that the contract allows. An export asks again and again; each may take its time. */
const EXPORT_ROWS = 1_000;
const EXPORT_DEADLINE_MS = 15_000;
/** How long the catalog may take to say how far it is. */
const STATE_DEADLINE_MS = 2_000;

const COLUMNS: Columns<ModuleRow> = [
  ['module', (row) => row.module],
  ['title', (row) => row.title],
  ['type', (row) => row.type],
  ['origin', (row) => row.origin],
  ['link', (row) => row.link],
  ['project_status', (row) => row.project_status],
  ['unsupported', (row) => String(row.unsupported)],
  ['recommended_version', (row) => row.recommended_version],
  ['latest_release_at', (row) => row.latest_release_at],
  ['sites', (row) => row.sites],
  ['versions', (row) => row.versions],
  ['sites_exposed', (row) => row.sites_exposed],
  ['security_updates', (row) => row.security_updates],
  ['updates', (row) => row.updates],
  ['unsupported_sites', (row) => row.unsupported_sites],
  ['unknown', (row) => row.unknown],
];

/** Reads modules: how sites stand to them, reporting knows; what organizations declared, the registry does. */
@Injectable()
export class ReadModules {
  constructor(
    private readonly questions: Questions,
    private readonly own: OwnModuleRepository,
    private readonly people: People,
  ) {}

  /** A page of the list. @throws as `Questions.askAgain` */
  async page(scope: Scope, query: ModuleListQuery): Promise<WrittenList> {
    const { page, per_page } = query;
    const input = { ...listInput(scope, query), page, per_page };
    const { made, at } = await this.questions.askAgain(listModules, input, writtenList);
    return { ...made, asOf: at ?? made.asOf };
  }

  /** It pages by key, so that rows which change meanwhile are neither left out nor told twice. */
  async csv(scope: Scope, query: ModuleListQuery): Promise<AsyncIterable<string>> {
    const input = { ...listInput(scope, query), page: 1, per_page: EXPORT_ROWS };
    const ask = (after?: string): Promise<RpcOutput<typeof listModules>> =>
      this.questions.ask(listModules, { ...input, ...(after === undefined ? {} : { after }) }, EXPORT_DEADLINE_MS);
    return csvPieces(COLUMNS, await ask(), ask);
  }

  /** A module declared a moment ago is there even if reporting has not heard of it. @throws ProblemError `not_found` */
  async one(
    scope: Scope,
    name: string,
    query: ModuleQuery,
  ): Promise<Detail & { catalog: CatalogState | null; own: OwnModuleAnswer[] }> {
    if (!isModuleName(name)) throw nothingThere();
    const { page, per_page, version, sort } = query;
    const declared = await this.own.find(scope, name);
    const asked = this.catalogState(name);
    const found = await this.questions.ask(moduleDetail, {
      scope,
      module: name,
      page,
      per_page,
      sort: sort ?? 'name',
      ...(version === undefined ? {} : { version }),
    });
    const own = await this.answers(scope, declared);
    const [first] = own;
    if (found === null && first === undefined) throw nothingThere();
    return { ...(found ?? unheard(first!)), catalog: await asked, own };
  }

  /** @throws ProblemError `not_found` */
  async versions(scope: Scope, name: string, query: ModuleVersionsQuery): Promise<Versions> {
    if (!isModuleName(name)) throw nothingThere();
    const { page, per_page, sort, installed, security_update, insecure, supported } = query;
    const found = await this.questions.ask(moduleVersions, {
      scope,
      module: name,
      page,
      per_page,
      sort: sort ?? '-release',
      ...given({ installed, security_update, insecure, supported }),
    });
    if (found !== null) return found;
    if ((await this.own.find(scope, name)).length === 0) throw nothingThere();
    return { items: [], meta: { total: 0, as_of: new Date().toISOString() } };
  }

  /** Declarations with what the catalog made of them. */
  async answers(scope: Scope, declared: readonly OwnModule[]): Promise<OwnModuleAnswer[]> {
    if (declared.length === 0) return [];
    const organizations = new Map((await this.people.organizations(scope)).map(({ id, uuid }) => [id, uuid]));
    const taken = await this.taken(
      scope,
      declared.map(({ module }) => module),
    );
    return declared.map((own) => {
      const known = taken?.find((item) => item.organization_id === own.organizationId && item.module === own.module);
      const state = known && known.revision >= own.revision ? known.state : 'pending';
      return {
        module: own.module,
        organization_id: organizations.get(own.organizationId) ?? '',
        title: own.title,
        type: own.type,
        link: own.link,
        releases: own.releases,
        revision: own.revision,
        created_at: own.createdAt.toISOString(),
        changed_at: own.changedAt.toISOString(),
        state,
        detail: taken === null ? UNHEARD : DETAILS[state],
      };
    });
  }

  /** How fresh it is what Drupal.org says of a module. null: it is not asked for, or the catalog does not answer, which spoils no other answer. */
  private async catalogState(module: string): Promise<CatalogState | null> {
    const known = await this.questions.ask(moduleSync, { module }, STATE_DEADLINE_MS).catch(() => null);
    if (!known?.sync) return null;
    const { last_success_at, stale_since, last_failure_code, last_failure_detail, next_due_at } = known.sync;
    return {
      changed_at: known.known_at,
      ...{ checked_at: last_success_at, stale_since, failure_code: last_failure_code },
      ...{ failure_detail: last_failure_detail, next_check_at: next_due_at },
    };
  }

  /** null: the catalog does not answer. What is declared stands all the same. */
  private async taken(scope: Scope, modules: string[]): Promise<RpcOutput<typeof customModules>['items'] | null> {
    try {
      return (await this.questions.ask(customModules, { scope, modules }, STATE_DEADLINE_MS)).items;
    } catch (error) {
      if (error instanceof ProblemError && error.code === 'unavailable') return null;
      throw error;
    }
  }
}

const DETAILS: Readonly<Record<OwnModuleAnswer['state'], string>> = {
  pending: 'It is stored and on its way to the catalog; it counts for your sites in a moment. Ask again.',
  own: 'It counts for the sites of the organization.',
  known_upstream:
    'Drupal.org has a project of that name, whose releases count. Rename your module, and declare it anew.',
};
const UNHEARD =
  'It is stored. The catalog does not answer at the moment, so whether it counts yet is not known. Ask again.';

function nothingThere(): ProblemError {
  return new ProblemError('not_found', 'Nothing is at this address, or it is not yours to see.');
}

/** What can be said of a module that reporting has not heard of. */
function unheard(own: OwnModuleAnswer): Detail {
  return {
    module: own.module,
    title: own.title,
    type: own.type,
    link: own.link,
    origin: 'own',
    organization_id: own.organization_id,
    recommended_version: null,
    supported_branches: [],
    project_status: null,
    releases: own.releases.length,
    versions: [],
    sites: [],
    meta: { total: 0, as_of: new Date().toISOString() },
  };
}

function listInput(scope: Scope, query: ModuleListQuery): Omit<Input, 'page' | 'per_page'> {
  const { q, type, origin, installed, exposed, security_update, update, unsupported, unknown, sort } = query;
  return {
    scope,
    sort: sort ?? '-security_updates',
    ...given({ q, type, origin, installed, exposed, security_update, update, unsupported, unknown }),
  };
}
