/** One key whose value is not the expected one. */
export interface Difference {
  key: string;
  expected: unknown;
  actual: unknown;
}

/**
 * Compares what was expected with what was computed, key by key. Only keys that are expected are looked at, so that a case
 * may say little. The order of lists counts; that of keys only where it is Drupal's order of projects and extensions.
 */
export function differences(expected: unknown, actual: unknown, key = ''): Difference[] {
  if (isRecord(expected) && 'drupal_crash' in expected && Object.keys(expected).length === 1) return [];
  if (isRecord(expected) && isRecord(actual)) {
    const other = namesDifference(expected, actual, key);
    if (other) return [other];
    return Object.keys(expected)
      .filter((name) => name !== 'php_warnings' && name !== 'drupal_crash')
      .flatMap((name) => differences(expected[name], actual[name], key === '' ? name : `${key}.${name}`));
  }
  if (isDatestamp(key)) return Number(expected) === Number(actual) ? [] : [{ key, expected, actual }];
  return JSON.stringify(expected) === JSON.stringify(actual) ? [] : [{ key, expected, actual }];
}

/** Maps of projects and extensions keep Drupal's order. */
const ORDERED_MAPS = /(?:^|\.)(?:projects|includes|disabled)$/;
/** Nothing may stand in them that Drupal has not. */
const WHOLE_MAPS = /(?:^|\.)(?:projects|includes|disabled|core_compatibility)$/;

function namesDifference(expected: object, actual: object, key: string): Difference | null {
  if (!WHOLE_MAPS.test(key)) return null;
  const ordered = ORDERED_MAPS.test(key);
  const namesOf = (map: object) => (ordered ? Object.keys(map) : Object.keys(map).sort());
  const [wanted, found] = [namesOf(expected), namesOf(actual)];
  if (JSON.stringify(wanted) === JSON.stringify(found)) return null;
  return { key: `${key} (${ordered ? 'order' : 'names'})`, expected: wanted, actual: found };
}

function isDatestamp(key: string): boolean {
  return key === 'datestamp' || key.endsWith('.datestamp');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
