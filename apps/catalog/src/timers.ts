/** How to wait. A simulation passes one that lets days pass in seconds. */
export interface Timers {
  /** Milliseconds since some moment; never goes back. */
  monotonic(): number;
  /** Resolves after `ms`, or at once when `wake` aborts. */
  sleep(ms: number, wake?: AbortSignal): Promise<void>;
}

export const systemTimers: Timers = {
  monotonic: () => performance.now(),
  sleep: (ms, wake) =>
    new Promise<void>((resolve) => {
      if (wake?.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        wake?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      wake?.addEventListener('abort', done);
    }),
};
