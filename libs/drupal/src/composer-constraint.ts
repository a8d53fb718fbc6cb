import { compareComposer, composed, normalizeVersion, SUFFIX, type ComposerVersion } from './composer-version.js';

type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=';

interface Bound {
  operator: Operator;
  version: ComposerVersion;
}

/** A constraint in Composer's notation: any of its alternatives must hold, and all bounds of that one. */
export interface Constraint {
  readonly alternatives: readonly (readonly Bound[])[];
}

const VERSION = `v?(\\d+)(?:\\.(\\d+))?(?:\\.(\\d+))?(?:\\.(\\d+))?(?:${SUFFIX}|\\.([xX*][.\\w-]*))(?:\\+\\S+)?`;
const TILDE = new RegExp(`^~${VERSION}$`, 'i');
const CARET = new RegExp(`^\\^${VERSION}$`, 'i');
const WILDCARD = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:\.[xX*])+$/;
const ANYTHING = /^(v)?[xX*](\.[xX*])*$/;
const HYPHEN = new RegExp(`^(${VERSION}) +- +(${VERSION})$`, 'i');
const COMPARISON = /^(<>|!=|>=?|<=?|==?)?\s*(.*)$/;
const STABILITY_FLAG = /^([^,\s]*?)@(stable|RC|beta|alpha|dev)$/i;
const ENDS_IN_SUFFIX = new RegExp(`-${SUFFIX}$`, 'i');

/** Constraints longer than this are no constraints; the bound keeps hostile ones cheap. */
const MAX_CONSTRAINT_LENGTH = 2048;

/**
 * Reads a constraint by Composer's rules, which are not npm's: `^10.3 || ^11`, `~10.2.0`, `10.0 - 10.4`, `>=8.0 <9.4.10`,
 * `8.x`, `*`, with `|` or `||`, commas or blanks, `@beta` flags.
 * @returns null for what Composer refuses.
 */
export function parseConstraint(text: string): Constraint | null {
  if (text.length > MAX_CONSTRAINT_LENGTH) return null;
  const alternatives: Bound[][] = [];
  for (const alternative of text.trim().split(/\s*\|\|?\s*/)) {
    const bounds: Bound[] = [];
    for (const part of conjunction(alternative)) {
      const parsed = parsePart(part);
      if (!parsed) return null;
      bounds.push(...parsed);
    }
    alternatives.push(bounds);
  }
  return { alternatives };
}

/** Whether a version satisfies a constraint that was read before. */
export function matches(version: ComposerVersion, constraint: Constraint): boolean {
  return constraint.alternatives.some((bounds) => bounds.every((bound) => holds(version, bound)));
}

/**
 * Whether a version satisfies a constraint by Composer's rules.
 * @param version as Composer knows it; turn a Drupal version into one with composerVersion first.
 * @returns false for a version or a constraint that Composer refuses.
 */
export function satisfies(version: ComposerVersion | string, constraint: string): boolean {
  const read = typeof version === 'string' ? normalizeVersion(version) : version;
  const parsed = parseConstraint(constraint);
  return read !== null && parsed !== null && matches(read, parsed);
}

function holds(version: ComposerVersion, { operator, version: bound }: Bound): boolean {
  if (version.branch || bound.branch) {
    // A named branch equals itself and has no place in an order.
    const same = version.normalized === bound.normalized;
    return operator === '==' ? same : operator === '!=' && !same;
  }
  const order = compareComposer(version, bound);
  switch (operator) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

/** Splits at commas and blanks, but not inside ` - ` ranges, ` as ` aliases, or between an operator and its version. */
function conjunction(text: string): string[] {
  return text.split(/(?<!^|as|[=>< ,]) *(?<!-)[, ](?!-) *(?!,|as|$)/);
}

function parsePart(part: string): Bound[] | null {
  let text = part;
  const alias = /^([^,\s]+) +as +([^,\s]+)$/.exec(text);
  if (alias) text = alias[1] as string;
  let flag: string | null = null;
  const flagged = STABILITY_FLAG.exec(text);
  if (flagged) {
    text = flagged[1] === '' ? '*' : (flagged[1] as string);
    if (flagged[2]?.toLowerCase() !== 'stable') flag = flagged[2] as string;
  }
  const reference = /^(dev-[^,\s@]+?|[^,\s@]+?\.x-dev)#.+$/i.exec(text);
  if (reference) text = reference[1] as string;

  const anything = ANYTHING.exec(text);
  if (anything) return anything[1] || anything[2] ? [{ operator: '>=', version: raised([0, 0, 0, 0], 1, 0) }] : [];
  return (
    parseTilde(text) ?? parseCaret(text) ?? parseWildcard(text) ?? parseHyphen(text) ?? parseComparison(text, flag)
  );
}

function parseTilde(text: string): Bound[] | null {
  const match = TILDE.exec(text);
  if (!match) return null;
  let position = match[4] ? 4 : match[3] ? 3 : match[2] ? 2 : 1;
  if (match[8]) position += 1;
  const low = normalizeVersion(text.slice(1) + (hasSuffix(match, 5) ? '' : '-dev'));
  return low && fromUntil(low, raised(numbersOf(match, 1), Math.max(1, position - 1), 1));
}

function parseCaret(text: string): Bound[] | null {
  const match = CARET.exec(text);
  if (!match) return null;
  // Up to the next change of the first number that is not 0.
  const position = match[1] !== '0' || !match[2] ? 1 : match[2] !== '0' || !match[3] ? 2 : 3;
  const low = normalizeVersion(text.slice(1) + (hasSuffix(match, 5) ? '' : '-dev'));
  return low && fromUntil(low, raised(numbersOf(match, 1), position, 1));
}

function parseWildcard(text: string): Bound[] | null {
  const match = WILDCARD.exec(text);
  if (!match) return null;
  const position = match[3] ? 3 : match[2] ? 2 : 1;
  return fromUntil(raised(numbersOf(match, 1), position, 0), raised(numbersOf(match, 1), position, 1));
}

function parseHyphen(text: string): Bound[] | null {
  const match = HYPHEN.exec(text);
  if (!match) return null;
  // Groups: 1 the low side, 2–5 its numbers, 6–9 its suffix; 10 the high side, 11–14, 15–18.
  const from = normalizeVersion(match[1] as string);
  const to = normalizeVersion(match[10] as string);
  if (!from || !to) return null;
  const low = hasSuffix(match, 6) ? from : withDevSuffix(from);
  if ((match[12] && match[13]) || hasSuffix(match, 15)) {
    return [
      { operator: '>=', version: low },
      { operator: '<=', version: to },
    ];
  }
  // An incomplete high side includes everything that starts with it.
  return fromUntil(low, raised(numbersOf(match, 11), match[12] ? 2 : 1, 1));
}

function parseComparison(text: string, flag: string | null): Bound[] | null {
  const match = COMPARISON.exec(text);
  if (!match) return null;
  const named = match[2] as string;
  const version = normalizeVersion(named) ?? branchWithDevAtTheEnd(named);
  if (!version) return null;
  const sign = match[1] ?? '=';
  const operator: Operator = sign === '=' || sign === '==' ? '==' : sign === '<>' ? '!=' : (sign as Operator);
  if (version.branch) return [{ operator, version }];
  if (operator !== '==' && flag && version.stability === 'stable') {
    return [{ operator, version: composed(`${version.normalized}-${flag}`, version.stability) }];
  }
  const takesDev = (operator === '<' || operator === '>=') && !ENDS_IN_SUFFIX.test(named);
  return [{ operator, version: takesDev ? withDevSuffix(version) : version }];
}

function branchWithDevAtTheEnd(text: string): ComposerVersion | null {
  return text.endsWith('-dev') && /^[0-9a-z./-]+$/i.test(text) ? normalizeVersion(`dev-${text.slice(0, -4)}`) : null;
}

/** Whether the groups from `first` on (word, count, dev, wildcard) hold a suffix. */
function hasSuffix(match: RegExpExecArray, first: number): boolean {
  return Boolean(match[first] || match[first + 2] || match[first + 3]);
}

function numbersOf(match: RegExpExecArray, first: number): number[] {
  return [0, 1, 2, 3].map((offset) => Number(match[first + offset] ?? 0));
}

/** The first snapshot of the version whose number at `position` (1–4) is raised by `by` and whose later numbers are 0. */
function raised(numbers: readonly number[], position: number, by: number): ComposerVersion {
  const raisedNumbers = numbers.map((number, index) =>
    index + 1 < position ? number : index + 1 === position ? number + by : 0,
  );
  return composed(`${raisedNumbers.join('.')}-dev`, 'dev');
}

function withDevSuffix(version: ComposerVersion): ComposerVersion {
  return composed(`${version.normalized}-dev`, 'dev');
}

function fromUntil(low: ComposerVersion, high: ComposerVersion): Bound[] {
  return [
    { operator: '>=', version: low },
    { operator: '<', version: high },
  ];
}
