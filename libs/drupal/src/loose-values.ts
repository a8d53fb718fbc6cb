/**
 * Drupal's code is written in a language that reads numbers out of strings loosely. These functions do the same, because
 * whether a release exists can depend on it.
 */

const NUMERIC = /^[ \t\n\r\v\f]*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?[ \t\n\r\v\f]*$/;
const LEADING_NUMBER = /^[ \t\n\r\v\f]*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)/;

/** Whether the text as a whole is a number: optional blanks around, sign, decimal digits, fraction, exponent. */
export function isNumeric(text: string): boolean {
  return NUMERIC.test(text);
}

/** The number a value starts with; 0 where there is none. Never NaN. */
export function looseNumber(value: unknown): number {
  if (typeof value === 'number') return Number.isNaN(value) ? 0 : value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'string') return 0;
  const match = LEADING_NUMBER.exec(value);
  return match ? Number(match[1]) : 0;
}

/** The whole number a value starts with, cut towards zero; 0 where there is none. */
export function looseInteger(value: unknown): number {
  const number = Math.trunc(looseNumber(value));
  return Number.isFinite(number) ? number + 0 : 0;
}

/** Whether a value counts as empty: absent, null, false, 0, `""`, `"0"`. */
export function isEmpty(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    value === false ||
    value === '' ||
    value === '0' ||
    value === 0 ||
    (typeof value === 'number' && Number.isNaN(value))
  );
}

/** The text of a scalar value; undefined for absent, null and anything that is no scalar. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'boolean') return value ? '1' : '';
  return undefined;
}
