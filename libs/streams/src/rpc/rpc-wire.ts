import { fromWireError, type RpcError, type WireError } from './rpc-errors.js';

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

type WireAnswer = { readonly ok: unknown } | { readonly error: WireError };

export function writeAnswer(value: unknown): string {
  return JSON.stringify({ ok: value === undefined ? null : value } satisfies WireAnswer);
}

export function writeFailure(error: WireError): string {
  return JSON.stringify({ error } satisfies WireAnswer);
}

/** The value, or the error rebuilt in its class. */
export function readAnswer(json: string): { value: unknown } | { error: RpcError } {
  const answer = JSON.parse(json) as WireAnswer;
  return 'error' in answer ? { error: fromWireError(answer.error) } : { value: answer.ok };
}

/** Redis's time, in ms, at which an entry was added. */
export const takenAt = (entryId: string): number => Number(entryId.slice(0, entryId.indexOf('-')));
