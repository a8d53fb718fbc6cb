import type { RedisConnection } from './redis-connection.js';
import { DEPTH } from './lua/lane-scripts.js';
import { runScript } from './lua/script.js';
import type { QueueDepth } from './observer.js';
import { GROUP, PARKED, WAITING } from './stream-key.js';

export interface StreamSample extends QueueDepth {
  /** Redis's estimate of the stream's memory. */
  readonly bytes: number;
  /** Age in ms of the oldest entry that nobody has read yet; 0: all were read. */
  readonly unreadAgeMs: number;
}

/** Reads length, pending, bytes and ages of one stream in one round trip; zeros when it does not exist. */
export async function readDepth(connection: RedisConnection, key: string): Promise<StreamSample> {
  const reply = await runScript(connection, DEPTH, key, [GROUP, WAITING, PARKED]);
  const [length, pending, waiting, bytes, oldest, unread] = reply as unknown[];
  return {
    length: Number(length),
    pending: Number(pending),
    waiting: Number(waiting),
    bytes: Number(bytes),
    oldestAgeMs: ageOf(String(oldest)),
    unreadAgeMs: ageOf(String(unread)),
  };
}

/** An entry id opens with Redis's time of arrival in ms. Two machines' clocks: good for a gauge, not for a decision of order. */
function ageOf(id: string): number {
  const ms = Number(id.split('-', 1)[0]);
  return id === '' || !Number.isFinite(ms) ? 0 : Math.max(0, Date.now() - ms);
}
