import { execFile } from 'node:child_process';
import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import type { GroupedModule } from '#libs/contracts';
import { readComposerLock, type DatedInventory } from './composer-lock.js';

const run = promisify(execFile);

/** The history of one site, oldest inventory first, and what of it could not be used. */
export interface SiteHistory {
  /** The site's name in the source. */
  readonly alias: string;
  readonly inventories: DatedInventory[];
  /** One line each: which record was left out, and why. */
  readonly skipped: string[];
}

export class HistorySourceError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

interface HistoryRecord {
  readonly site: string;
  readonly commit_date: string;
  readonly core: string | null;
  readonly php?: string | null;
  readonly full?: boolean;
  readonly components?: readonly { name: string; version: string | null }[];
  readonly changes?: readonly { name: string; from: string | null; to: string | null }[];
}

/**
 * Reads JSON Lines (plain or `.gz`): the first record of a site holds `components`, the next ones `changes`
 * (`to: null` = removed). One file may hold many sites, in any interleaving.
 * @throws HistorySourceError `unreadable_history` naming the line
 */
export async function readJsonLines(file: string): Promise<SiteHistory[]> {
  if (!existsSync(file)) throw new HistorySourceError('no_such_file', `${file} does not exist`);
  const sites = new Map<string, SiteHistory & { current: Map<string, string | null> }>();
  const raw = createReadStream(file);
  const lines = createInterface({ input: file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw, crlfDelay: Infinity });
  let number = 0;
  for await (const line of lines) {
    number++;
    if (!line.trim()) continue;
    const record = parseRecord(line, file, number);
    let site = sites.get(record.site);
    if (!site) {
      site = { alias: record.site, inventories: [], skipped: [], current: new Map() };
      sites.set(record.site, site);
    }
    if (record.components) site.current = new Map(record.components.map(({ name, version }) => [name, version]));
    else if (site.inventories.length === 0) {
      throw new HistorySourceError(
        'unreadable_history',
        `${file}:${number}: the first record of ${record.site} has no "components"`,
      );
    }
    for (const change of record.changes ?? []) {
      if (change.to === null) site.current.delete(change.name);
      else site.current.set(change.name, change.to);
    }
    site.inventories.push({
      collectedAt: new Date(record.commit_date).toISOString(),
      coreVersion: record.core,
      phpVersion: record.php ?? null,
      modules: [...site.current].map(([project, version]): GroupedModule => ({ project, version, status: 'present' })),
    });
  }
  return [...sites.values()].map(({ alias, inventories, skipped }) => ({ alias, inventories, skipped }));
}

function parseRecord(line: string, file: string, number: number): HistoryRecord {
  let record: HistoryRecord;
  try {
    record = JSON.parse(line) as HistoryRecord;
  } catch (error) {
    throw new HistorySourceError('unreadable_history', `${file}:${number}: ${(error as Error).message}`);
  }
  if (typeof record?.site !== 'string' || Number.isNaN(Date.parse(record.commit_date))) {
    throw new HistorySourceError('unreadable_history', `${file}:${number}: "site" and "commit_date" are needed`);
  }
  return record;
}

/**
 * Reads the history of a lock file from a git checkout: every first-parent commit that changed it, oldest first, dated by
 * the commit. A commit that deletes the file says nothing about the site, so it is left out: absence is not a fix.
 * @throws HistorySourceError `not_a_git_checkout`, `no_lock_history`
 */
export async function readGitHistory(directory: string, lockPath: string, alias: string): Promise<SiteHistory> {
  const git = async (...args: string[]) =>
    (await run('git', ['-C', directory, ...args], { maxBuffer: 256 * 1024 * 1024 })).stdout;
  let log: string;
  try {
    log = await git('log', '--first-parent', '--reverse', '--format=%H %cI', '--', lockPath);
  } catch (error) {
    throw new HistorySourceError('not_a_git_checkout', `git log failed in ${directory}: ${(error as Error).message}`);
  }
  const commits = log.split('\n').filter(Boolean);
  if (commits.length === 0) {
    throw new HistorySourceError('no_lock_history', `no commit in ${directory} ever changed ${lockPath}`);
  }
  const history: SiteHistory = { alias, inventories: [], skipped: [] };
  for (const commit of commits) {
    const [sha = '', date = ''] = commit.split(' ');
    let text: string;
    try {
      text = await git('show', `${sha}:./${lockPath}`);
    } catch {
      history.skipped.push(`${sha.slice(0, 10)} ${date}: the lock file was deleted`);
      continue;
    }
    try {
      history.inventories.push({ collectedAt: new Date(date).toISOString(), ...readComposerLock(text) });
    } catch (error) {
      history.skipped.push(`${sha.slice(0, 10)} ${date}: ${(error as Error).message}`);
    }
  }
  return history;
}
