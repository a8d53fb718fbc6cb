import { answer } from './answers.js';
import { listCaseFiles, readCases } from './case-files.js';
import { differences, type Difference } from './compare.js';
import { Documents } from './documents.js';

/** A case that was answered otherwise than Drupal does. */
export interface FailedCase {
  file: string;
  id: string;
  differences: Difference[];
}

export interface FileResult {
  file: string;
  passed: number;
  failed: number;
}

export interface ConformanceResult {
  files: FileResult[];
  failures: FailedCase[];
}

/**
 * Answers every case of a folder and compares.
 * @throws Error when the folder holds no cases.
 */
export function runConformance(folder: string): ConformanceResult {
  const files: FileResult[] = [];
  const failures: FailedCase[] = [];
  for (const file of listCaseFiles(folder)) {
    const documents = new Documents(file.folder);
    const before = failures.length;
    const cases = readCases(file);
    for (const { id, item, problem } of cases) {
      const found = item
        ? answerAndCompare(item, documents)
        : [{ key: 'case', expected: 'one that can be read', actual: problem }];
      if (found.length > 0) failures.push({ file: file.name, id, differences: found });
    }
    const failed = failures.length - before;
    files.push({ file: file.name, passed: cases.length - failed, failed });
  }
  if (files.every(({ passed, failed }) => passed + failed === 0))
    throw new Error(`the files in ${folder} hold no case`);
  return { files, failures };
}

function answerAndCompare(item: Parameters<typeof answer>[0], documents: Documents): Difference[] {
  try {
    const actual = answer(item, documents);
    // Where Drupal itself gave up, all that is asked for is an answer.
    return item.expected === undefined ? [] : differences(item.expected, actual);
  } catch (error) {
    // Whatever a case holds, the answer must not be an exception.
    return [{ key: 'exception', expected: null, actual: String(error) }];
  }
}
