import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** One case as its file has it: what is installed and known, and under `expected` what Drupal's own code said. */
export interface ConformanceCase {
  id?: string;
  expected?: unknown;
  [key: string]: unknown;
}

/** A file of cases and the folder its documents are in. */
export interface CaseFile {
  name: string;
  path: string;
  /** The folder that holds `xml/`. */
  folder: string;
}

const CASES = /^cases.*\.jsonl(\.gz)?$/;
/** Folders below the given one that are looked into; more levels are no set of cases. */
const DEEPEST = 4;

/**
 * The case files in a folder and in the folders below it.
 * @throws Error when there is no such folder or it holds no cases.
 */
export function listCaseFiles(folder: string): CaseFile[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new Error(`there is no folder ${folder}`);
  const files = filesIn(folder, '', 0);
  if (files.length === 0) throw new Error(`${folder} holds no cases-*.jsonl.gz`);
  return files;
}

function filesIn(folder: string, prefix: string, depth: number): CaseFile[] {
  const names = readdirSync(folder).sort();
  const files = names
    .filter((name) => CASES.test(name))
    .map((name) => ({ name: prefix + name, path: join(folder, name), folder }));
  if (depth >= DEEPEST) return files;
  const folders = names.filter((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory());
  return [...files, ...folders.flatMap((name) => filesIn(join(folder, name), `${prefix}${name}/`, depth + 1))];
}

/** A line of a file of cases; `item` null: it could not be read, for `problem`. */
export interface CaseLine {
  readonly id: string;
  readonly item: ConformanceCase | null;
  readonly problem: string | null;
}

/** Reads one file of cases, gzipped or not, one JSON object a line. What cannot be read is a line, too: it counts as a case that failed. */
export function readCases(file: CaseFile): CaseLine[] {
  let text: string;
  try {
    const bytes = readFileSync(file.path);
    // By its first bytes, since a file may have been unpacked and kept its name.
    text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch (error) {
    return [{ id: 'the file', item: null, problem: (error as Error).message }];
  }
  return text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [readLine(line, index + 1)]));
}

function readLine(line: string, number: number): CaseLine {
  try {
    const item = JSON.parse(line) as ConformanceCase | null;
    if (typeof item !== 'object' || item === null) throw new Error('it is no object');
    if (item.expected === undefined && item['drupal_crash'] === undefined) throw new Error('nothing is expected of it');
    return { id: typeof item.id === 'string' ? item.id : `line ${number}`, item, problem: null };
  } catch (error) {
    return { id: `line ${number}`, item: null, problem: (error as Error).message };
  }
}
