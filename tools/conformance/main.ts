import { resolve } from 'node:path';
import { runConformance, type ConformanceResult } from './run.js';

const VALUE_LENGTH = 300;

/**
 * `npm run conformance -- <folder> [--most=<n>]`: answers the cases of a folder and prints each difference (or the first n) and the counts.
 * @returns the exit code: 0 all passed, 1 some did not, 2 there was nothing to run.
 */
export function main(args: string[], print: (line: string) => void): number {
  const folder = args.find((argument) => !argument.startsWith('--')) ?? process.env.PATCHWATCH_CONFORMANCE_DIR;
  if (!folder) {
    print('usage: npm run conformance -- <folder> [--most=<n>]');
    return 2;
  }
  let result: ConformanceResult;
  try {
    result = runConformance(resolve(folder));
  } catch (error) {
    print((error as Error).message);
    return 2;
  }
  const most = args.find((argument) => argument.startsWith('--most='))?.slice('--most='.length);
  printResult(result, most === undefined ? Number.POSITIVE_INFINITY : Number(most), print);
  return result.failures.length === 0 ? 0 : 1;
}

function printResult({ files, failures }: ConformanceResult, limit: number, print: (line: string) => void): void {
  let shown = 0;
  for (const failure of failures) {
    for (const { key, expected, actual } of failure.differences) {
      if (shown >= limit) break;
      shown += 1;
      print(`${failure.file} ${failure.id} ${key}: expected ${short(expected)}, got ${short(actual)}`);
    }
  }
  const total = failures.reduce((sum, failure) => sum + failure.differences.length, 0);
  if (total > shown) print(`… ${total - shown} more differences`);
  for (const { file, passed, failed } of files) print(`${file}: ${passed} passed, ${failed} failed`);
  const passed = files.reduce((sum, file) => sum + file.passed, 0);
  print(`total: ${passed} passed, ${failures.length} failed`);
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > VALUE_LENGTH ? `${text.slice(0, VALUE_LENGTH)}…` : text;
}
