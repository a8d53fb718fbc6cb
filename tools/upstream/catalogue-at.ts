import type { AdvisoryRecord, ProjectRecord, Records, ReleaseRecord } from './records.js';
import { newestFirst, readReleaseName, type ReleaseName } from './release-name.js';
import { CORE_SUPPORT_CHANGES, supportedContribBranches, supportedCoreBranches } from './supported-branches.js';

/** A release as Drupal.org shows it at one instant. */
export interface ShownRelease {
  readonly name: ReleaseName;
  readonly record: ReleaseRecord;
  /** Packaging time, whole seconds since the epoch; null: unknown. */
  readonly date: number | null;
  readonly security: boolean;
  readonly insecure: boolean;
}

/** A project as Drupal.org shows it at one instant. */
export interface ShownProject {
  readonly record: ProjectRecord;
  readonly status: 'published' | 'unsupported';
  readonly supportedBranches: readonly string[];
  /** In the order of the document: releases newest first, then `-dev` snapshots, newest branch first. */
  readonly releases: readonly ShownRelease[];
  /** When the document last changed; milliseconds since the epoch. */
  readonly changedAt: number;
  /** Until when the document stays as it is; milliseconds. */
  readonly validUntil: number;
}

/** Which of the two documents of a project: `current` holds everything for Drupal 8 and newer, `7.x` the rest. */
export type DocumentKind = 'current' | '7.x';

/** In October 2024 Drupal.org's own `Insecure` marks were recorded; before that time they outrank the advisories' ranges. */
const MARKS_RECORDED = Date.parse('2024-10-01T00:00:00Z');

/** What Drupal.org knew at any instant. Records may be added and withdrawn while it serves. */
export class CatalogueAt {
  private readonly projects = new Map<string, ProjectRecord>();
  private readonly advisories = new Map<string, AdvisoryRecord>();
  private readonly retracted = new Map<string, number>();
  /** Projects changed while it serves, and when: a withdrawal leaves no other trace in the releases. */
  private readonly touched = new Map<string, number>();
  /** Advisories revised while it serves, and when. */
  private readonly revised = new Map<string, number>();
  /** Numbers of nodes in order of first appearance; the real ones were not recorded. */
  private readonly nids = new Map<string, number>();

  constructor(records: Records) {
    for (const project of records.projects) this.projects.set(project.name, project);
    for (const advisory of records.advisories) this.advisories.set(advisory.id, advisory);
    for (const { project } of records.advisories) this.nidOfProject(project);
    for (const { id } of records.advisories) this.nidOfAdvisory(id);
  }

  /** Number of a project's node, the same for ever; core's is the real one. */
  nidOfProject(name: string): number {
    return name === 'drupal' ? 3060 : this.nid(`project ${name}`, 1_000_000);
  }

  /** Number of an advisory's node, the same for ever. */
  nidOfAdvisory(id: string): number {
    return this.nid(`advisory ${id}`, 3_000_000);
  }

  private nid(key: string, base: number): number {
    const known = this.nids.get(key) ?? base + this.nids.size;
    this.nids.set(key, known);
    return known;
  }

  /** When an advisory's node last changed by `now`; milliseconds. */
  changedAt({ id, published, modified }: AdvisoryRecord, now: number): number {
    const changes = [Date.parse(published), Date.parse(modified ?? published), this.revised.get(id) ?? 0];
    return Math.max(...changes.filter((at) => at <= now));
  }

  project(name: string): ProjectRecord | undefined {
    return this.projects.get(name);
  }

  projectNames(): string[] {
    return [...this.projects.keys()];
  }

  /** Names of projects by the numbers of their nodes, also of those of which only an advisory tells. */
  projectsByNid(nids: ReadonlySet<number>): string[] {
    const names = [...this.projects.keys(), ...[...this.advisories.values()].map(({ project }) => project)];
    return [...new Set(names)].filter((name) => nids.has(this.nidOfProject(name)));
  }

  advisory(id: string): AdvisoryRecord | undefined {
    return this.advisories.get(id);
  }

  /** @param at when the project's document changes by it; milliseconds */
  putProject(project: ProjectRecord, at: number): void {
    this.projects.set(project.name, project);
    this.touched.set(project.name, at);
  }

  /** @param at when its node changes by it; milliseconds */
  putAdvisory(advisory: AdvisoryRecord, at: number): void {
    this.revised.set(advisory.id, at);
    this.advisories.set(advisory.id, advisory);
    this.retracted.delete(advisory.id);
  }

  retractAdvisory(id: string, at: number): void {
    this.retracted.set(id, at);
  }

  /** Advisories on show at `now`, newest first. */
  advisoriesAt(now: number): AdvisoryRecord[] {
    return [...this.advisories.values()]
      .filter(({ id, published }) => Date.parse(published) <= now && !((this.retracted.get(id) ?? Infinity) <= now))
      .sort((a, b) => b.published.localeCompare(a.published) || b.id.localeCompare(a.id));
  }

  /** @returns null when Drupal.org knows no release of `name` in that document at `now` */
  projectAt(name: string, now: number, kind: DocumentKind = 'current'): ShownProject | null {
    const record = this.projects.get(name);
    if (!record) return null;
    const touched = this.touched.get(name);
    const changes: number[] = [...(name === 'drupal' ? CORE_SUPPORT_CHANGES : []), ...(touched ? [touched] : [])];
    const shown: (ShownRelease & { at: number })[] = [];
    for (const release of record.releases) {
      const parsed = readReleaseName(name, release.version);
      const at = visibleFrom(release);
      if (!parsed || at === null || parsed.drupal7 !== (kind === '7.x')) continue;
      const security = this.securityFrom(release, at);
      const insecure = this.insecureFrom(record, release, parsed);
      changes.push(at, ...[security, insecure].filter((instant) => instant > at && instant < Infinity));
      if (at > now) continue;
      shown.push({
        name: parsed,
        record: release,
        date: release.date ? Math.floor(Date.parse(release.date) / 1000) : null,
        security: security <= now,
        insecure: insecure <= now,
        at,
      });
    }
    if (shown.length === 0) return null;
    shown.sort((a, b) => newestFirst(a.name, b.name));

    const unsupportedAt = this.unsupportedFrom(record);
    if (unsupportedAt !== null) changes.push(unsupportedAt);
    const dated = shown.map(({ name: release, at }) => ({ name: release, at }));
    const supportedBranches = name === 'drupal' ? supportedCoreBranches(dated, now) : supportedContribBranches(dated);
    const snapshots = this.snapshots(record, shown, supportedBranches, now, kind);
    changes.push(...(record.snapshots ?? []).map(({ seen }) => Date.parse(seen)));
    return {
      record,
      status: unsupportedAt !== null && unsupportedAt <= now ? 'unsupported' : 'published',
      supportedBranches,
      releases: [...shown, ...snapshots],
      changedAt: Math.max(...changes.filter((instant) => instant <= now)),
      validUntil: Math.min(Infinity, ...changes.filter((instant) => instant > now)),
    };
  }

  private published(id: string): number {
    const advisory = this.advisories.get(id);
    return advisory ? Date.parse(advisory.published) : Infinity;
  }

  /** A release is marked `Security update` with its first advisory; one whose advisory nobody recorded, from the start. */
  private securityFrom(release: ReleaseRecord, at: number): number {
    if (!release.security) return Infinity;
    const advisories = release.security_advisories ?? [];
    return advisories.length === 0 ? at : Math.min(...advisories.map((id) => this.published(id)));
  }

  private insecureFrom(project: ProjectRecord, release: ReleaseRecord, name: ReleaseName): number {
    if (release.insecure_from) return Date.parse(release.insecure_from);
    const causes = (release.insecure_by ?? []).map((id) => this.published(id));
    // Drupal.org was asked and had not marked it: only what came later can have.
    if (release.insecure_dorg === 0) return Math.min(Infinity, ...causes.filter((at) => at > MARKS_RECORDED));
    if (release.insecure_dorg === 1 && causes.length === 0) return this.nextFix(project, name);
    return Math.min(Infinity, ...causes);
  }

  /** Drupal.org marks what came before a fix when the fix comes; where no fix is on record, when the mark was recorded. */
  private nextFix(project: ProjectRecord, name: ReleaseName): number {
    const fixes = project.releases
      .filter(({ version, security }) => {
        const other = security ? readReleaseName(project.name, version) : null;
        return other !== null && !other.drupal7 && newestFirst(other, name) < 0;
      })
      .map((fix) => visibleFrom(fix) ?? MARKS_RECORDED);
    return Math.min(MARKS_RECORDED, ...fixes);
  }

  private unsupportedFrom(project: ProjectRecord): number | null {
    return project.unsupported_advisory ? this.published(project.unsupported_advisory) : null;
  }

  private snapshots(
    project: ProjectRecord,
    shown: readonly (ShownRelease & { at: number })[],
    supported: readonly string[],
    now: number,
    kind: DocumentKind,
  ): ShownRelease[] {
    const versions = new Set(supported.map((branch) => `${branch}x-dev`));
    for (const { version, seen } of project.snapshots ?? []) if (Date.parse(seen) <= now) versions.add(version);
    const result: ShownRelease[] = [];
    for (const version of versions) {
      const name = readReleaseName(project.name, version);
      if (!name || name.drupal7 !== (kind === '7.x')) continue;
      const branch = shown.filter((release) => release.name.version.startsWith(version.replace(/x-dev$/, '')));
      const dates = (branch.length > 0 ? branch : shown).map(({ at }) => at);
      const date = Math.floor(Math.max(...dates) / 1000);
      result.push({ name, record: { version }, date, security: false, insecure: false });
    }
    return result.sort((a, b) => newestFirst(a.name, b.name));
  }
}

/** From when Drupal.org shows a release; null: nobody knows. */
export function visibleFrom(release: ReleaseRecord): number | null {
  const instant = release.date_public ?? release.date ?? release.first_seen;
  return instant ? Date.parse(instant) : null;
}
