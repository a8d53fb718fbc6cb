import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import {
  MODULE_VERSION_SORTS,
  type ModuleVersionRow,
  type moduleVersions,
  type RpcInput,
  type RpcOutput,
} from '#libs/contracts';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../clock.js';
import { pageOf } from '../reading/list-page.js';
import { sortingOf } from '../reading/sorting.js';
import { sourcesOf } from '../reading/sources.js';
import { judgeStatus } from '../version-status/version-judgement.js';
import {
  compareVersions,
  saidByAdvisories,
  unlistedVersion,
  versionsOf,
  type AdvisoryOnModule,
  type ListedVersion,
  type SaidByAdvisories,
} from './module-versions.js';
import { ModuleVersionsRepository, type InstalledCount } from './module-versions.repository.js';
import { ReadModuleService, type FoundModule } from './read-module.service.js';

type Input = RpcInput<typeof moduleVersions>;

/** A version in its place among the others, with who runs it. */
interface Candidate {
  readonly facts: ListedVersion;
  readonly place: number;
  readonly count: InstalledCount | undefined;
}

/** Answers which releases a module has, and what sites run of them. */
@Injectable()
export class ReadModuleVersionsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly modules: ReadModuleService,
    private readonly versions: ModuleVersionsRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** null: as `ReadModuleService.detail`. @throws UnknownSortError */
  async list(input: Input): Promise<RpcOutput<typeof moduleVersions>> {
    const sorting = sortingOf(input.sort, MODULE_VERSION_SORTS, '-release');
    const now = this.clock.now();
    return this.dataSource.transaction('REPEATABLE READ', async (tx) => {
      const found = await this.modules.find(tx, input.scope, input.module);
      if (!found) return null;
      const installed = await this.versions.installed(tx, found.known.moduleId, input.scope);
      if (!found.history && installed.length === 0) return null;
      // Advisories are Drupal.org's: of an organization's own module there are none.
      const isOwn = found.own.length > 0;
      const advisories = isOwn ? [] : await this.versions.advisories(tx, found.known.moduleId);
      const said = remembering((version) => saidByAdvisories(version, advisories));
      const wanted = candidates(found, installed).filter((candidate) => isWanted(candidate, input, advisories, said));
      const { items, total } = pageOf(
        wanted,
        {
          sorting,
          valueOf: (candidate) => sortValue(candidate, sorting.field),
          idOf: ({ facts }) => facts.version ?? '',
        },
        input,
      );
      return {
        items: items.map((candidate) => versionRow(candidate, found, input.module, said)),
        meta: { total, as_of: now.toISOString() },
      };
    });
  }
}

function candidates({ history }: FoundModule, installed: readonly InstalledCount[]): Candidate[] {
  const counts = new Map(installed.map((count) => [count.version, count]));
  const listed = history ? versionsOf(history.prepared) : [];
  const names = new Set(listed.map(({ version }) => version));
  const unlisted = installed.filter(({ version }) => !names.has(version));
  return [...listed, ...unlisted.map(({ version }) => unlistedVersion(version))]
    .sort(compareVersions)
    .map((facts, place) => ({ facts, place, count: counts.get(facts.version) }));
}

function isWanted(
  { facts, count }: Candidate,
  input: Input,
  advisories: readonly AdvisoryOnModule[],
  said: (version: string | null) => SaidByAdvisories,
): boolean {
  if (input.installed !== undefined && input.installed !== (count !== undefined)) return false;
  if (input.security_update !== undefined && input.security_update !== facts.securityUpdate) return false;
  if (input.supported !== undefined && input.supported !== facts.supported) return false;
  if (input.insecure === undefined) return true;
  const insecure = facts.insecure || (advisories.length > 0 && said(facts.version).range === 'affected');
  return input.insecure === insecure;
}

function sortValue({ facts, place, count }: Candidate, field: string): number | null {
  if (field === 'release') return place;
  return field === 'sites' ? (count?.sites ?? 0) : facts.released;
}

function versionRow(
  { facts, count }: Candidate,
  { known, history }: FoundModule,
  module: string,
  said: (version: string | null) => SaidByAdvisories,
): ModuleVersionRow {
  const { affecting, fixedBy, range } = said(facts.version);
  const { status, reason, mark } = judgeStatus(
    { versionId: 0, version: facts.version, datestamp: count?.datestamp ?? facts.released ?? 0 },
    { module, arrived: known.revision > 0 || history !== null, history: history?.prepared ?? null, knownAt: null },
  );
  return {
    version: facts.version,
    listed: facts.listed,
    released_at: facts.released === null ? null : new Date(facts.released * 1000).toISOString(),
    link: facts.link,
    published: facts.published,
    supported: facts.supported,
    security_update: facts.securityUpdate,
    covered: facts.covered,
    core_compatibility: facts.coreCompatibility,
    status: status as ModuleVersionRow['status'],
    reason,
    advisories: [...affecting],
    fixes: [...fixedBy],
    ...sourcesOf(mark, range),
    sites: count?.sites ?? 0,
    sites_exposed: count?.exposed ?? 0,
  };
}

/** The same answer for the same version, worked out once. */
function remembering<T>(compute: (version: string | null) => T): (version: string | null) => T {
  const known = new Map<string | null, T>();
  return (version) => {
    let answer = known.get(version);
    if (answer === undefined) known.set(version, (answer = compute(version)));
    return answer;
  };
}
