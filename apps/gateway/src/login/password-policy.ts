import { commonPasswords } from './common-passwords.js';

/** A password alone must have so many characters; with a second factor fewer do. */
export const SHORTEST_PASSWORD = 15;
export const SHORTEST_WITH_SECOND_FACTOR = 12;

/** What a guesser knows of the person before the first guess. */
export interface PasswordContext {
  readonly email: string;
  readonly name: string;
  /** Names of her organizations. */
  readonly organizations: readonly string[];
  readonly hasSecondFactor: boolean;
}

export interface PasswordFault {
  readonly code: 'too_short' | 'too_common';
  readonly detail: string;
}

/** What is still secret when everything that guessers try first is taken out must be at least so long. */
const SHORTEST_REST = 6;

/** What the most frequent passwords are made of; longest first where one holds another. */
const COMMON_WORDS = [
  'correcthorsebatterystaple',
  'administrator',
  'patchwatch',
  'password',
  'passwort',
  'qwertyuiop',
  'asdfghjkl',
  'iloveyou',
  'princess',
  'sunshine',
  'football',
  'baseball',
  'superman',
  'changeme',
  'starwars',
  'whatever',
  'michael',
  'welcome',
  'letmein',
  'trustno',
  'zxcvbnm',
  'default',
  'dragon',
  'master',
  'monkey',
  'shadow',
  'qwertz',
  'qwerty',
  'azerty',
  'drupal',
  'secret',
  'summer',
  'winter',
  'spring',
  'autumn',
  'hello',
  'login',
  'admin',
  'guest',
  'access',
  'asdf',
  'pass',
  'test',
  'user',
  'love',
  'qaz',
  'wsx',
  'abc',
];

const LOOKALIKES: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};

/**
 * What is wrong with a new password (NIST SP 800-63B-4): its length, or that a guesser would come to it soon; null: nothing. There are no
 * rules of composition. A list of frequent passwords lies beside (nobody is asked): one of them, repeated or with figures and signs around it, counts as
 * those figures and signs alone; so do common words, the person's own words, runs and repetitions wherever they stand.
 */
export function faultOf(password: string, context: PasswordContext): PasswordFault | null {
  const shortest = context.hasSecondFactor ? SHORTEST_WITH_SECOND_FACTOR : SHORTEST_PASSWORD;
  if ([...password].length < shortest)
    return { code: 'too_short', detail: `must have at least ${shortest} characters; several words make a good one` };
  if (restOf(password, context).length < SHORTEST_REST)
    return { code: 'too_common', detail: 'is what others would try first: common or own words, runs, repetitions' };
  return null;
}

/** The password without what guessers try first. */
function restOf(password: string, context: PasswordContext): string {
  const plain = password.toLowerCase().normalize('NFKC');
  const read = [...plain].map((character) => LOOKALIKES[character] ?? character).join('');
  const words = [...ownWords(context), ...COMMON_WORDS];
  // As written, with look-alikes read as letters, and without frequent passwords: whichever leaves least counts.
  const rests = [plain, read].flatMap(readings).map((text) => {
    let rest = text;
    for (const word of words) rest = rest.replaceAll(word, ' ');
    return withoutRuns(rest).replaceAll(/[\s\p{P}\p{S}]+/gu, '');
  });
  return rests.reduce((least, rest) => (rest.length < least.length ? rest : least));
}

/** The text, and what stands around a frequent password when it is nothing else but that, once or several times over. */
function readings(text: string): string[] {
  const once = text.replace(/(.{4,24}?)\1+/su, '$1');
  return [text, ...[text, once].flatMap(aroundFrequent)];
}

/** Each way to read `text` as a frequent password with anything but letters around it: what is around. */
function aroundFrequent(text: string): string[] {
  const frequent = commonPasswords();
  const before = /^\P{L}*/u.exec(text)![0].length;
  const firstEnd = text.length - /\P{L}*$/u.exec(text)![0].length;
  const found: string[] = [];
  for (let start = 0; start <= before; start++)
    for (let end = Math.max(firstEnd, start + 4); end <= Math.min(text.length, start + 24); end++)
      if (frequent.has(text.slice(start, end))) found.push(`${text.slice(0, start)} ${text.slice(end)}`);
  return found;
}

/** Words of four letters and more of her address, her name and her organizations; the longest first. */
function ownWords({ email, name, organizations }: PasswordContext): string[] {
  return [email, name, ...organizations]
    .flatMap((text) =>
      text
        .toLowerCase()
        .normalize('NFKC')
        .split(/[^\p{L}\p{N}]+/u),
    )
    .filter((word) => word.length >= 4)
    .sort((a, b) => b.length - a.length);
}

/** Without repetitions (`aaaa`, `abcabcabc`: one is left), and without rows up or down (`12345`, `fedcba`). */
function withoutRuns(text: string): string {
  const once = text.replaceAll(/(.{1,8}?)\1+/gsu, '$1');
  const characters = [...once];
  const kept: string[] = [];
  for (let start = 0; start < characters.length;) {
    const step = stepAt(characters, start);
    let end = start + 1;
    if (Math.abs(step) === 1) while (end < characters.length && stepAt(characters, end - 1) === step) end++;
    if (end - start < 3) kept.push(...characters.slice(start, end));
    start = end;
  }
  return kept.join('');
}

function stepAt(characters: readonly string[], index: number): number {
  const [here, next] = [characters[index], characters[index + 1]];
  return here === undefined || next === undefined ? 0 : next.codePointAt(0)! - here.codePointAt(0)!;
}
