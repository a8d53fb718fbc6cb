import { fromWireError, type RpcError, type WireError } from './rpc-errors.js';
import { TaggedAnswer, UNCHANGED } from './tagged-answer.js';

/*
 * Questions and answers over Redis Streams. All of it may be lost at any time: whoever asks has a deadline and can ask again, since questions
 * only read. So it may use the cache's Redis, and should: the durable one waits for the disk at every entry.
 *
 *   caller ─XADD─▶ pw:rpc:{<service>}            group `servers`, read with NOACK: one server gets it and takes it off
 *                                               one entry for the questions of one turn of a caller's event loop, a field `q` each;
 *                                               capped, so that questions nobody reads fall off
 *   server ─XADD─▶ pw:rpc:{reply.<caller id>}    one a calling process; expires soon after the process is gone
 *                                               one entry for several answers: fields <question number> → <answer>
 *   caller ─PUBLISH─▶ pw:rpc:cancel.<service>    <reply key> <question number>: drop it, nobody waits
 *
 * Deadlines are absolute in Redis's own clock: the entry's id says when Redis took the question, the question says how many ms it has. The
 * clocks of the machines do not matter.
 */
export const requestKey = (service: string): string => `pw:rpc:{${service}}`;
export const replyKey = (callerId: string): string => `pw:rpc:{reply.${callerId}}`;
export const cancelChannel = (service: string): string => `pw:rpc:cancel.${service}`;

export const SERVERS = 'servers';
export const QUESTION = 'q';

/** Questions in one entry at most: it goes to one server, and a burst should spread over several. */
export const MOST_TOGETHER = 8;

/** Entries with unread questions that a service's stream keeps at most (about). A burst beyond it costs the oldest their answer. */
export const MOST_REQUESTS = 10_000;
/** The same for one caller's answers; the caller trims what it has read, long before. */
export const MOST_REPLIES = 10_000;

/** One question. The names are short because they travel with every call. */
export interface WireQuestion {
  /** Number of the question within the caller's process. */
  readonly n: number;
  readonly method: string;
  readonly reply: string;
  /** Milliseconds from Redis's taking it to its deadline. */
  readonly ms: number;
  readonly correlation: string | null;
  /** W3C trace context; absent: none. */
  readonly trace?: string | null;
  /** Tag of the answer that the caller has, null: it has none; absent: it keeps no answer. */
  readonly known?: string | null;
  readonly data: unknown;
}

/** @throws SyntaxError or TypeError for something that is no question. */
export function readQuestion(json: string): WireQuestion {
  const question = JSON.parse(json) as WireQuestion;
  const wellFormed =
    Number.isSafeInteger(question?.n) &&
    typeof question.method === 'string' &&
    typeof question.reply === 'string' &&
    question.ms > 0;
  if (!wellFormed) throw new TypeError('not a question');
  return question;
}

/** `ok` is absent: the answer under this tag is still right. */
interface WireTagged {
  readonly tag: string;
  readonly at: string;
  readonly ok?: unknown;
}

type WireAnswer = { readonly ok: unknown } | WireTagged | { readonly error: WireError };

/** An answer as it came. */
export interface ReadAnswer {
  readonly value: unknown;
  /** null: it has no tag. */
  readonly tag: string | null;
  readonly at: string | null;
  /** Characters on the wire. */
  readonly size: number;
}

export function writeAnswer(value: unknown): string {
  if (!(value instanceof TaggedAnswer))
    return JSON.stringify({ ok: value === undefined ? null : value } satisfies WireAnswer);
  const { tag, at, output } = value;
  return JSON.stringify((output === UNCHANGED ? { tag, at } : { tag, at, ok: output }) satisfies WireAnswer);
}

export function writeFailure(error: WireError): string {
  return JSON.stringify({ error } satisfies WireAnswer);
}

/** The value, or the error rebuilt in its class. */
export function readAnswer(json: string): ReadAnswer | { error: RpcError } {
  const answer = JSON.parse(json) as WireAnswer;
  if ('error' in answer) return { error: fromWireError(answer.error) };
  const { tag, at } = 'tag' in answer ? answer : { tag: null, at: null };
  return { value: 'ok' in answer ? answer.ok : UNCHANGED, tag, at, size: json.length };
}

/** Redis's time, in ms, at which an entry was added. */
export const takenAt = (entryId: string): number => Number(entryId.slice(0, entryId.indexOf('-')));
