import { PoisonMessageError } from '#libs/streams';

/**
 * Reading the members of a push by hand. The gateway has checked the body against its schema already; checking 120 modules by a compiled
 * schema a second time takes as long as parsing them, and this reads only what it needs.
 */
export type Members = Readonly<Record<string, unknown>>;

export const invalid = (message: string): PoisonMessageError => new PoisonMessageError('invalid_inventory', message);

/** The same failure, with the place it happened at. */
export function locate(error: unknown, where: string): unknown {
  return error instanceof PoisonMessageError ? new PoisonMessageError(error.code, `${where}: ${error.message}`) : error;
}

/** As long as any name or version may be. */
const LONGEST_TEXT = 255;

/** @param where for people: `modules/3`. */
export function membersOf(value: unknown, where: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${where} is not an object`);
  return value as Members;
}

export function listOf(value: unknown, where: string, longest: number): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(`${where} is not a list`);
  if (value.length > longest) throw invalid(`${where} has more than ${longest} members`);
  return value;
}

/** A text that must be there. */
export function textOf(value: unknown, where: string): string {
  if (typeof value !== 'string') throw invalid(`${where} is not a text`);
  if (value === '') throw invalid(`${where} is empty`);
  if (value.length > LONGEST_TEXT) throw invalid(`${where} is longer than ${LONGEST_TEXT} characters`);
  return value;
}

/** A text that may be missing, null or empty. */
export function optionalTextOf(value: unknown, where: string): string | null {
  return value === undefined || value === null || value === '' ? null : textOf(value, where);
}

/** One of a few words; `fallback` when it is missing. */
export function wordOf<T extends string>(value: unknown, words: ReadonlySet<T>, fallback: T, where: string): T {
  if (value === undefined) return fallback;
  if (!words.has(value as T)) throw invalid(`${where} is none of ${[...words].join(', ')}`);
  return value as T;
}

/** Unix seconds, or null where there are none: 0, no number, beyond what a number can say. */
export function secondsOf(value: unknown): number | null {
  const seconds = typeof value === 'string' ? Number(value) : value;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return null;
  const whole = Math.trunc(seconds);
  return whole > 0 && Number.isSafeInteger(whole) ? whole : null;
}
