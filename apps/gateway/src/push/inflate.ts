import { gunzip, gunzipSync } from 'node:zlib';
import { ProblemError } from '../http/problem.js';
import { MOST_BYTES } from './push-body.js';

/** Up to this size inflating takes microseconds, and a thread of the pool would cost more than it saves. */
const SYNC_BYTES = 64 * 1024;
/** What a small body may become on the main thread; above it goes to the pool, bomb or not. */
const SYNC_INFLATED_BYTES = 512 * 1024;
/** Large bodies inflated at once: bounds the memory that strangers decide about to so many times 16 MiB. */
const LARGE_AT_ONCE = 4;
const MOST_WAITING = 64;

const SYNC_OPTIONS = { maxOutputLength: SYNC_INFLATED_BYTES, chunkSize: 64 * 1024 };
const LARGE_OPTIONS = { maxOutputLength: MOST_BYTES, chunkSize: 256 * 1024 };

/** Inflates gzip bodies of strangers. */
export class Inflater {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  /**
   * The inflated body: at once for what is small, through the thread pool, a few at a time, for the rest. A bomb is cut off at
   * 16 MiB whatever it would become.
   * @throws ProblemError `invalid_gzip`, `payload_too_large`, `unavailable` (by rejection, when it is not small)
   */
  inflate(body: Buffer): Buffer | Promise<Buffer> {
    if (body.length > SYNC_BYTES) return this.inflateLarge(body);
    try {
      return gunzipSync(body, SYNC_OPTIONS);
    } catch (error) {
      if (isTooLarge(error)) return this.inflateLarge(body);
      throw notGzip(error);
    }
  }

  private async inflateLarge(body: Buffer): Promise<Buffer> {
    if (this.running >= LARGE_AT_ONCE) {
      if (this.waiting.length >= MOST_WAITING) {
        throw new ProblemError('unavailable', 'Too many large pushes arrive at this moment.', { retryAfterSeconds: 5 });
      }
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else {
      this.running++;
    }
    try {
      return await new Promise<Buffer>((resolve, reject) => {
        gunzip(body, LARGE_OPTIONS, (error, inflated) => {
          if (!error) resolve(inflated);
          else reject(isTooLarge(error) ? tooLarge() : notGzip(error));
        });
      });
    } finally {
      // The turn is handed on, so that nobody slips in between.
      const next = this.waiting.shift();
      if (next) next();
      else this.running--;
    }
  }
}

function isTooLarge(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';
}

function tooLarge(): ProblemError {
  return new ProblemError(
    'payload_too_large',
    `The body is larger than ${MOST_BYTES / 1024 / 1024} MiB when it is inflated.`,
  );
}

function notGzip(cause: unknown): ProblemError {
  return new ProblemError('invalid_gzip', 'The body is not valid gzip, or it is not whole.', { cause });
}
