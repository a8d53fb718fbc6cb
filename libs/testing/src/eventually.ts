import { inspect } from 'node:util';

export interface EventuallyOptions {
  /** How long to keep trying, in milliseconds. Default 20,000: what is waited for comes at once, or, on a busy machine, in its time. */
  readonly timeoutMs?: number;
  /** Pause between two tries, in milliseconds. Default 25. */
  readonly everyMs?: number;
  /** What is waited for, for the message: "the push is applied". */
  readonly what?: string;
}

/**
 * Repeats `probe` until it neither throws nor answers `false`, `null` or `undefined`, and returns its answer. So both forms work:
 * a probe with `expect(...)` inside that returns something true, and a probe that returns the wanted value or nothing.
 *
 * @throws Error on time-out, naming what was waited for and the last thing seen. A wait that gives up in silence proves nothing.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<NonNullable<T>> {
  const timeoutMs = options.timeoutMs ?? 20_000;
  const deadline = performance.now() + timeoutMs;
  let lastSeen = 'nothing yet';
  let cause: unknown;
  for (;;) {
    try {
      const answer = await probe();
      if (answer !== false && answer !== null && answer !== undefined) return answer;
      lastSeen =
        answer === undefined ? 'undefined (a probe returns something true when it is content)' : inspect(answer);
      cause = undefined;
    } catch (error) {
      lastSeen = error instanceof Error ? error.message : inspect(error);
      cause = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`Waited ${timeoutMs} ms for ${options.what ?? 'a condition'}; last seen: ${lastSeen}`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, options.everyMs ?? 25));
  }
}
