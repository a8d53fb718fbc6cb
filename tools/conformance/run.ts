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
    for (const item of cases) {
      const found = answerAndCompare(item, documents);
      if (found.length > 0) failures.push({ file: file.name, id: item.id, differences: found });
    }
    const failed = failures.length - before;
    files.push({ file: file.name, passed: cases.length - failed, failed });
  }
  return { files, failures };
}

function answerAndCompare(item: Parameters<typeof answer>[0], documents: Documents): Difference[] {
  try {
    return differences(item.expected, answer(item, documents));
  } catch (error) {
    // Whatever a case holds, the answer must not be an exception.
    return [{ key: 'exception', expected: null, actual: String(error) }];
  }
}
