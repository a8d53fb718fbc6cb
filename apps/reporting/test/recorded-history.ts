import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { AdvisoryChanged, InventoryChanged } from '#libs/contracts';
import { advisory, change, inventory } from './facts.js';

const ROOT = process.cwd();
/** The project's own copies first. */
const FOLDERS = ['tools/demo/data', 'tools/upstream/data'];

/** Reads a compact record file of the project. @throws Error when it is nowhere. */
export function recordsOf<T>(file: string): T[] {
  const path = FOLDERS.map((folder) => join(ROOT, folder, file)).find(existsSync);
  if (!path) throw new Error(`${file} is in none of ${FOLDERS.join(', ')}`);
  return gunzipSync(readFileSync(path))
    .toString('utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
}

export interface HistoryRecord {
  readonly site: string;
  readonly commit_date: string;
  readonly core?: string | null;
  readonly full?: boolean;
  readonly components?: readonly { readonly name: string; readonly version: string }[];
  readonly changes?: readonly { readonly name: string; readonly to?: string | null }[];
}

export interface AdvisoryRecord {
  readonly id: string;
  readonly project: string;
  readonly published: string;
  readonly risk?: string | null;
  readonly affected?: string | null;
  readonly affected_d7?: string;
  readonly core: string;
  readonly fixed?: readonly string[];
  readonly unsupported?: boolean;
  readonly title: string;
  readonly url: string;
}

/** Inventories of one site as ingest would tell of them: time never runs backwards. */
export function inventoriesOf(siteId: number, records: readonly HistoryRecord[]): InventoryChanged[] {
  let core: string | null = null;
  let observed = -Infinity;
  let previous: string | null = null;
  return records.map((record, index) => {
    observed = Math.max(observed, Date.parse(record.commit_date));
    const at = new Date(observed).toISOString();
    const changes = record.components
      ? record.components.map(({ name, version }) => change(name, version))
      : (record.changes ?? []).map(({ name, to }) => change(name, to ?? 'gone'));
    const runs = record.core ?? null;
    if (runs !== core) changes.push(change('drupal', runs ?? 'gone'));
    core = runs;
    const fact = inventory(siteId, index + 1, at, changes, {
      epoch: 0,
      previous_observed_at: previous,
      core_version: core,
      received_at: '2026-09-30T00:00:00.000Z',
    });
    previous = at;
    return fact;
  });
}

/** An advisory as the catalog would tell of it: one about Drupal 7 alone says nothing of newer versions. */
export function advisoryOf(record: AdvisoryRecord): AdvisoryChanged {
  return advisory(record.id, record.project, record.core === '7' ? null : (record.affected ?? null), record.published, {
    affected_d7: record.affected_d7 ?? (record.core === '7' ? (record.affected ?? null) : null),
    risk: (record.risk?.toLowerCase().replace(' ', '_') ?? null) as AdvisoryChanged['risk'],
    fixed: [...(record.fixed ?? [])],
    unsupported: record.unsupported ?? false,
    title: record.title,
    url: record.url,
  });
}
