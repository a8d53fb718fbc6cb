const STEP_MS = 25;
/** What one step may count for at most; more than that this process had no turn. */
const MOST_MS = 2 * STEP_MS;

/** How long something took this process, in milliseconds. */
export type OwnTime = () => number;

/**
 * Begins to count the time in which this process had its turns. What passes while it, or the whole machine, stands still does not count: a promised
 * limit holds for the product's own timers, which stand still as well, and is not broken by a machine that is busy with something else.
 */
export function ownTime(): OwnTime {
  let counted = 0;
  let last = performance.now();
  const step = (): void => {
    const now = performance.now();
    counted += Math.min(now - last, MOST_MS);
    last = now;
  };
  setInterval(step, STEP_MS).unref();
  return () => {
    step();
    return counted;
  };
}
