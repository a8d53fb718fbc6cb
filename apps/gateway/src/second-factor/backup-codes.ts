import { randomInt } from 'node:crypto';

/** So many codes are given at once. */
export const BACKUP_CODES = 10;

/** Without those that people take for one another: I, L, O, U. 32 characters, five bits each. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const SELECTOR_LENGTH = 4;
/** 65 bits. */
const SECRET_LENGTH = 13;
const LENGTH = SELECTOR_LENGTH + SECRET_LENGTH;

export interface BackupCodeText {
  /** No secret: tells which hash to compute, so that one is computed for a try. */
  readonly selector: string;
  /** The whole code without hyphens: what is hashed. */
  readonly plain: string;
}

/** Ten new codes with different selectors. */
export function newBackupCodes(): BackupCodeText[] {
  const codes = new Map<string, BackupCodeText>();
  while (codes.size < BACKUP_CODES) {
    const plain = Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]!).join('');
    codes.set(plain.slice(0, SELECTOR_LENGTH), { selector: plain.slice(0, SELECTOR_LENGTH), plain });
  }
  return [...codes.values()];
}

/** As people see it: `7K2M-XXXXX-XXXXX-XXX`. */
export function shownBackupCode({ plain }: BackupCodeText): string {
  return plain.replace(/^(.{4})(.{5})(.{5})/, '$1-$2-$3-');
}

/** What somebody typed, whatever its case, hyphens and blanks; null: it is none. */
export function readBackupCode(text: string): BackupCodeText | null {
  const plain = text
    .toUpperCase()
    .replaceAll(/[\s-]+/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1');
  if (plain.length !== LENGTH || [...plain].some((character) => !ALPHABET.includes(character))) return null;
  return { selector: plain.slice(0, SELECTOR_LENGTH), plain };
}
