import { hash } from 'node:crypto';

/**
 * For how long an answer is good although nothing has changed: its days, and whether a site is silent, age with the clock. Each question has a time
 * of its own between these two, so that those that were first asked together, as by one page, are not all made anew at one moment.
 */
export const GOOD_FOR_MS = { least: 20_000, most: 30_000 };

/** What an answer is to, and what it rests on. Another question's tag, another tenant's first of all, says nothing. */
export function groundsOf(method: string, input: unknown, stamp: string): string {
  return `${hash('sha256', JSON.stringify([method, input]), 'base64url')}/${stamp}`;
}

/** Names an answer: its grounds, and when it was made. */
export function answerTag(grounds: string, madeAt: Date): string {
  return `${grounds}@${madeAt.getTime()}`;
}

/** Part of its time after which an answer is made anew, while it is still good: then nobody waits for it who asks again before the rest is over. */
const RENEWED_AFTER = 2 / 3;

/**
 * What the answer of that tag is worth at `now`, when these are the grounds now: `right`, `ageing` (still right, but it should be made anew), or
 * `outdated`.
 */
export function standingOf(tag: string, grounds: string, now: Date): 'right' | 'ageing' | 'outdated' {
  const end = tag.lastIndexOf('@');
  const age = now.getTime() - Number(tag.slice(end + 1));
  const good = goodForMs(grounds);
  if (tag.slice(0, end) !== grounds || !(age >= 0 && age < good)) return 'outdated';
  return age < good * RENEWED_AFTER ? 'right' : 'ageing';
}

/** They begin with a digest of the question: evenly spread. */
function goodForMs(grounds: string): number {
  const part = Buffer.from(grounds.slice(0, 4), 'base64url').readUInt16BE() / 65_536;
  return GOOD_FOR_MS.least + part * (GOOD_FOR_MS.most - GOOD_FOR_MS.least);
}
