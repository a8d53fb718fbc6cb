import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { CustomReleasesChanged } from '#libs/contracts';
import { JudgeOwnVersionsService } from '../own-module/judge-own-versions.service.js';
import { CatalogRepository } from './catalog.repository.js';
import { KnownHistories } from './known-histories.js';
import { affectedOf, verdictDifference } from './verdict-difference.js';
import {
  judgeByAdvisories,
  judgeByMark,
  judgeStatus,
  statusDatestamp,
  type KnownHistory,
} from './version-judgement.js';
import { VersionRepository, type StoredVerdict, type StoredVersion, type VersionKey } from './version.repository.js';

/** A module as a site reports it; `installed` null: it is gone. */
export interface ReportedVersion {
  readonly module: string;
  readonly installed: { readonly version: string | null; readonly datestamp: number | null } | null;
}

/** `versionId` null: the module is gone. */
export interface IdentifiedVersion {
  readonly moduleId: number;
  readonly versionId: number | null;
}

/** Verdicts that changed: on which versions, by which causes. */
export interface ChangedVerdicts {
  readonly versionIds: number[];
  readonly causeIds: number[];
}

/** Keeps what is said of versions in step with what sites run and what the catalog tells. */
@Injectable()
export class JudgeVersionsService {
  private readonly histories = new KnownHistories();

  constructor(
    private readonly catalog: CatalogRepository,
    private readonly versions: VersionRepository,
    private readonly own: JudgeOwnVersionsService,
  ) {}

  /**
   * Ids of what sites report, by position. Modules and versions not known before are added, the versions judged at once.
   * The caller shares the modules' locks.
   */
  async identifyReported(tx: EntityManager, reported: readonly ReportedVersion[]): Promise<IdentifiedVersion[]> {
    if (reported.length === 0) return [];
    const modules = await this.catalog.moduleIds(
      tx,
      reported.map(({ module }) => module),
    );
    const keys = reported.map(({ module, installed }) =>
      installed
        ? {
            moduleId: modules.get(module)!,
            version: installed.version,
            datestamp: statusDatestamp(installed.version, installed.datestamp),
          }
        : null,
    );
    const versions = await this.identify(
      tx,
      keys.filter((key) => key !== null),
    );
    return reported.map(({ module }, index) => {
      const key = keys[index];
      return { moduleId: modules.get(module)!, versionId: key ? versions.get(versionIdentity(key))! : null };
    });
  }

  /**
   * Ids of the versions, by `versionIdentity`. Those seen for the first time are judged at once. The caller shares the modules' lock.
   */
  private async identify(tx: EntityManager, keys: readonly VersionKey[]): Promise<Map<string, number>> {
    const wanted = new Map(keys.map((key) => [versionIdentity(key), key]));
    const ids = new Map<string, number>();
    const note = (found: readonly StoredVersion[]) => {
      for (const version of found) ids.set(versionIdentity(version), version.versionId);
    };
    const missing = () => [...wanted].filter(([identity]) => !ids.has(identity)).map(([, key]) => key);
    note(await this.versions.find(tx, [...wanted.values()]));
    if (missing().length > 0) {
      const added = await this.versions.add(tx, missing());
      await this.judgeAdded(tx, added);
      note(added);
    }
    // What another transaction added meanwhile: it has judged them, and its commit is what the insert waited for.
    if (missing().length > 0) note(await this.versions.find(tx, missing()));
    return ids;
  }

  /** Statuses and verdicts of versions that have none yet. No site runs them so far, so nothing else depends on them. */
  private async judgeAdded(tx: EntityManager, added: readonly StoredVersion[]): Promise<void> {
    const byModule = groupByModule(added);
    const moduleIds = [...byModule.keys()];
    const histories = await this.known(tx, moduleIds);
    const advisories = groupByModule(await this.catalog.advisories(tx, moduleIds));
    const statuses = [];
    const verdicts: StoredVerdict[] = [];
    for (const [moduleId, versions] of byModule) {
      const known = histories.get(moduleId)!;
      for (const version of versions) statuses.push(judgeStatus(version, known));
      const judged = judgeByAdvisories(versions, advisories.get(moduleId) ?? []);
      judged.push(...judgeByMark(versions, known, affectedOf(judged), new Map()));
      verdicts.push(...judged.map((verdict) => ({ ...verdict, moduleId })));
    }
    await this.versions.storeStatuses(tx, statuses);
    await this.versions.storeVerdicts(tx, verdicts);
    await this.own.judgeAdded(tx, added);
  }

  /**
   * Judges every known version of `moduleIds` anew: by their histories, and by those advisories that changed.
   * The caller has the modules' lock alone.
   */
  async rejudge(
    tx: EntityManager,
    moduleIds: readonly number[],
    changedAdvisories: ReadonlySet<number>,
  ): Promise<ChangedVerdicts> {
    const versions = groupByModule(await this.versions.ofModules(tx, moduleIds));
    const installed = [...versions.keys()];
    const histories = await this.known(tx, installed);
    const advisories = groupByModule(await this.catalog.advisories(tx, installed));
    const standing = groupByModule(await this.versions.verdicts(tx, installed));
    const statuses = [];
    const stored: StoredVerdict[] = [];
    const removed: StoredVerdict[] = [];
    for (const [moduleId, ofModule] of versions) {
      const known = histories.get(moduleId)!;
      for (const version of ofModule) statuses.push(judgeStatus(version, known));
      const changed = (advisories.get(moduleId) ?? []).filter(({ advisoryId }) => changedAdvisories.has(advisoryId));
      const difference = verdictDifference(ofModule, known, changed, standing.get(moduleId) ?? []);
      stored.push(...difference.stored.map((verdict) => ({ ...verdict, moduleId })));
      removed.push(...difference.removed);
    }
    await this.versions.storeStatuses(tx, statuses);
    await this.versions.storeVerdicts(tx, stored);
    await this.versions.removeVerdicts(tx, removed);
    await this.own.rejudge(tx, installed);
    const touched = [...stored, ...removed];
    return {
      versionIds: [...new Set(touched.map((verdict) => verdict.versionId))],
      causeIds: [...new Set(touched.map((verdict) => verdict.causeId))],
    };
  }

  /** Stores what organizations tell of their own modules; returns the modules that changed, to be judged anew. */
  takeOwn(
    tx: EntityManager,
    changes: readonly CustomReleasesChanged[],
    moduleIds: ReadonlyMap<string, number>,
  ): Promise<number[]> {
    return this.own.take(tx, changes, moduleIds);
  }

  /** Sites that ran one of the versions at any time, with the module: by position. */
  sitesThatRan(tx: EntityManager, versionIds: readonly number[]): Promise<{ siteIds: number[]; moduleIds: number[] }> {
    return this.versions.sitesThatRan(tx, versionIds);
  }

  /** Histories worked out, those of the same revision from memory. */
  private async known(tx: EntityManager, moduleIds: readonly number[]): Promise<Map<number, KnownHistory>> {
    return this.histories.get(await this.catalog.histories(tx, moduleIds), (absent) =>
      this.catalog.documents(tx, absent),
    );
  }
}

/** The same for equal versions of one module. */
export function versionIdentity({ moduleId, version, datestamp }: VersionKey): string {
  return `${moduleId} ${datestamp} ${version === null ? '' : `v${version}`}`;
}

function groupByModule<T extends { readonly moduleId: number }>(items: readonly T[]): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const group = groups.get(item.moduleId);
    if (group) group.push(item);
    else groups.set(item.moduleId, [item]);
  }
  return groups;
}
