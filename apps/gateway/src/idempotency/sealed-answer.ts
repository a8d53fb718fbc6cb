import { createHash, hkdfSync } from 'node:crypto';
import type { Violation } from '../http/problem.js';
import type { ProblemCode } from '../http/problem-codes.js';
import { open, seal } from '../second-factor/seal.js';

/** An answer as it was given. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** null: it had none, or was a problem. */
  readonly body: string | null;
  readonly problem: {
    readonly code: ProblemCode;
    readonly detail: string;
    readonly errors: readonly Violation[];
  } | null;
}

/** What makes two requests the same: who asked, for what, under which key. */
export interface RequestName {
  readonly asker: string;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly key: string;
}

export function hashOfName({ asker, method, url, key }: RequestName): Buffer {
  return createHash('sha256').update([asker, method, url, key].join('\0')).digest();
}

/** @param body as it was parsed; a body in another order of members is another body */
export function hashOfBody(body: unknown): Buffer {
  return createHash('sha256')
    .update(JSON.stringify(body ?? null))
    .digest();
}

/**
 * Answers may hold a key that is shown once. They are sealed under a key made of our pepper and of the Idempotency-Key, which is kept
 * nowhere: a copy of the database does not open them, nor does one together with the pepper. Only who asked can ask again.
 */
export function sealAnswer(pepper: string, name: RequestName, answer: KeptAnswer): Buffer {
  return seal(keyOf(pepper, name), JSON.stringify(answer), ownerOf(name));
}

/** @throws Error when it was sealed for another request, or was changed */
export function openAnswer(pepper: string, name: RequestName, sealed: Buffer): KeptAnswer {
  return JSON.parse(open(keyOf(pepper, name), sealed, ownerOf(name))) as KeptAnswer;
}

function keyOf(pepper: string, { key }: RequestName): Buffer {
  return Buffer.from(hkdfSync('sha256', pepper, key, 'patchwatch idempotent answers', 32));
}

function ownerOf(name: RequestName): string {
  return hashOfName(name).toString('hex');
}
