import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** Random bytes are fetched for 256 ids at a time: one call to the generator an id is most of what an id costs (3.4 µs, 0.6 µs so). */
const pool = new Uint8Array(16 * 256);
let used = pool.length;
let lastMs = 0;
let sequence = 0;

/** A new UUIDv7: ordered by time of making, within one process strictly, so that indexes on it stay compact. Not a secret. */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, (used += 16));
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    // 31 random bits: the first id of a millisecond tells nothing of the one before, and there is room to count up.
    sequence = ((random[6]! & 0x7f) << 24) | (random[7]! << 16) | (random[8]! << 8) | random[9]!;
  } else if ((sequence = (sequence + 1) | 0) === 0) {
    lastMs++;
  }
  return v7({ random, msecs: lastMs, seq: sequence });
}
