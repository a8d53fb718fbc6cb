import { sqlState } from '#libs/database';

/** What Postgres answers to every statement after the one that failed. */
const ECHO = '25P02';

/**
 * Waits for statements of one transaction that were sent together, all of them, whatever becomes of one.
 * @throws the failure that caused the others. Which promise rejects first says nothing: one that waits for several is told later.
 */
export async function together<T extends readonly unknown[]>(work: {
  readonly [K in keyof T]: Promise<T[K]>;
}): Promise<T> {
  const results = await Promise.allSettled(work as readonly Promise<unknown>[]);
  const failures = results.filter((result) => result.status === 'rejected').map(({ reason }): unknown => reason);
  if (failures.length > 0) throw failures.find((failure) => sqlState(failure) !== ECHO) ?? failures[0];
  return results.map((result) => (result as PromiseFulfilledResult<unknown>).value) as unknown as T;
}

/**
 * Lets what has been asked leave for the server before this thread goes on computing, so that both work at the same time.
 * Wrapped, because a promise that an async function returns would be waited for.
 */
export async function underway<T>(work: Promise<T>): Promise<{ done: Promise<T> }> {
  // Whoever awaits `done` gets the failure; until then it must not count as unhandled.
  work.catch(() => undefined);
  await new Promise((resolve) => setImmediate(resolve));
  return { done: work };
}
