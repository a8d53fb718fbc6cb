import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** One case as its file has it: what is installed and known, and under `expected` what Drupal's own code said. */
export interface ConformanceCase {
  id: string;
  expected: unknown;
  [key: string]: unknown;
}

/** A file of cases and the folder its documents are in. */
export interface CaseFile {
  name: string;
  path: string;
  /** The folder that holds `xml/`. */
  folder: string;
}

const CASES = /^cases-.*\.jsonl(\.gz)?$/;

/**
 * The case files in a folder and in the folders directly below it.
 * @throws Error when there is no such folder or it holds no cases.
 */
export function listCaseFiles(folder: string): CaseFile[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new Error(`there is no folder ${folder}`);
  const folders = [
    { prefix: '', path: folder },
    ...readdirSync(folder, { withFileTypes: true })
      .filter((entry) => statSync(join(folder, entry.name)).isDirectory())
      .map((entry) => ({ prefix: `${entry.name}/`, path: join(folder, entry.name) })),
  ];
  const files = folders.flatMap(({ prefix, path }) =>
    readdirSync(path)
      .filter((name) => CASES.test(name))
      .sort()
      .map((name) => ({ name: prefix + name, path: join(path, name), folder: path })),
  );
  if (files.length === 0) throw new Error(`${folder} holds no cases-*.jsonl.gz`);
  return files;
}

/** Reads one file of cases, gzipped or not, one JSON object a line. */
export function readCases(file: CaseFile): ConformanceCase[] {
  const bytes = readFileSync(file.path);
  const text = (file.path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ConformanceCase);
}
