import { setTimeout as delay } from 'node:timers/promises';

/**
 * What `work` comes to, when it comes in time. Work that is late goes on, unheard: whoever gives up sees to its end.
 * @param ms longest wait in milliseconds
 * @param what is waited for, for the message: "Redis to end"
 * @throws Error on time-out; else as `work`
 */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  const inTime = new AbortController();
  // What is waited for keeps this process alive, not the waiting.
  const late = delay(ms, undefined, { signal: inTime.signal, ref: false }).then(() => {
    throw new Error(`Waited ${ms} ms for ${what}, in vain`);
  });
  // Ended by `work`: nobody listens to it any more.
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    inTime.abort();
  }
}
