import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import type { ExposureRow } from '#libs/contracts';

/** One row of an independently computed list of patch times. */
export interface PatchTime {
  readonly site: string;
  readonly project: string;
  readonly advisory: string;
  readonly outcome: 'patched' | 'removed' | 'open' | 'lock_removed' | 'unknown_dev';
  readonly published: string;
  readonly at: string;
  readonly days: number;
  readonly from: string;
}

export interface Comparison {
  readonly compared: number;
  readonly agree: number;
  /** Explained differences by class. */
  readonly explained: Map<string, PatchTime[]>;
  readonly unexplained: { expected: PatchTime; found: string }[];
}

type Episode = Pick<
  ExposureRow,
  'site_name' | 'module' | 'advisory' | 'opened_at' | 'closed_at' | 'reason' | 'state' | 'unknown_since'
>;

/** Why a row may differ from what Patchwatch says; each class has a reason that holds for every row in it. */
export const EXPLANATIONS = {
  lock_removed:
    'the source counted the deletion of the lock file as an end; Patchwatch waits for the next inventory, as absence is not a fix',
  drupal_7_version:
    'the installed version is 7.x and was judged by the range for Drupal 8 and newer; Patchwatch judges it by the advisory’s Drupal 7 range',
} as const;

/** Whether a site ever ran a Drupal 7 release of a module: `7.x-…` in its history. */
export type RanDrupal7 = (site: string, module: string) => boolean;

/**
 * Compares every row of `expected` with the episodes of the same site, module and advisory. Days agree to a hundredth.
 * `ranDrupal7` comes from the same history that was pushed; without it nothing is explained by Drupal 7.
 */
export function comparePatchTimes(
  expected: readonly PatchTime[],
  episodes: readonly Episode[],
  ranDrupal7: RanDrupal7 = () => false,
): Comparison {
  const byKey = new Map<string, Episode[]>();
  for (const episode of episodes) {
    const key = `${episode.site_name}|${episode.module}|${episode.advisory}`;
    const list = byKey.get(key);
    if (list) list.push(episode);
    else byKey.set(key, [episode]);
  }
  for (const list of byKey.values()) list.sort((a, b) => a.opened_at.localeCompare(b.opened_at));

  let agree = 0;
  const explained = new Map<string, PatchTime[]>();
  const unexplained: { expected: PatchTime; found: string }[] = [];
  for (const row of expected) {
    const first = byKey.get(`${row.site}|${row.project}|${row.advisory}`)?.[0];
    if (first && agrees(row, first)) {
      agree++;
      continue;
    }
    const reason = explain(row, first, ranDrupal7);
    if (reason) explained.set(reason, [...(explained.get(reason) ?? []), row]);
    else unexplained.push({ expected: row, found: first ? JSON.stringify(first) : 'no exposure' });
  }
  return { compared: expected.length, agree, explained, unexplained };
}

function agrees(row: PatchTime, episode: Episode): boolean {
  const end = Date.parse(row.at);
  const days = (end - Date.parse(episode.opened_at)) / 86_400_000;
  if (Math.abs(days - row.days) > 0.0101) return false;
  switch (row.outcome) {
    case 'patched':
    case 'removed':
      return episode.reason === row.outcome && sameSecond(episode.closed_at, end);
    case 'unknown_dev':
      return sameSecond(episode.unknown_since, end);
    case 'open':
      return episode.closed_at === null;
    case 'lock_removed':
      return false;
  }
}

const sameSecond = (instant: string | null, expected: number) =>
  instant !== null && Math.abs(Date.parse(instant) - expected) < 2_000;

function explain(
  row: PatchTime,
  episode: Episode | undefined,
  ranDrupal7: RanDrupal7,
): keyof typeof EXPLANATIONS | null {
  if (row.outcome === 'lock_removed' && episode && Date.parse(episode.closed_at ?? '9999-01-01') > Date.parse(row.at)) {
    return 'lock_removed';
  }
  if (
    row.outcome === 'lock_removed' &&
    episode?.unknown_since &&
    Date.parse(episode.unknown_since) > Date.parse(row.at)
  ) {
    return 'lock_removed';
  }
  // The source writes versions as Composer does (1.19.0 for 7.x-1.19): only the history tells them apart.
  if (!episode && ranDrupal7(row.site, row.project)) return 'drupal_7_version';
  return null;
}

/** Reads JSON Lines, plain or `.gz`. */
export async function readLines<T>(file: string): Promise<T[]> {
  const raw = createReadStream(file);
  const lines = createInterface({ input: file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw, crlfDelay: Infinity });
  const rows: T[] = [];
  for await (const line of lines) if (line.trim()) rows.push(JSON.parse(line) as T);
  return rows;
}
