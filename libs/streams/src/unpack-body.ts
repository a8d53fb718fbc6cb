import { gunzipSync } from 'node:zlib';
import { PoisonMessageError } from './failures.js';

/**
 * Unpacks a gzip body of at most `maxBytes` unpacked: a bomb stops there and not at the end of memory.
 * @throws PoisonMessageError `body_too_large` or `invalid_gzip`.
 */
export function gunzipBounded(body: Buffer, maxBytes: number): Buffer {
  try {
    return gunzipSync(body, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof RangeError || (cause as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new PoisonMessageError('body_too_large', `The body unpacks to more than ${maxBytes} bytes.`, { cause });
    }
    throw new PoisonMessageError('invalid_gzip', 'The body is not a gzip stream.', { cause });
  }
}
