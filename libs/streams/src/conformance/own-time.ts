const STEP_MS = 25;
/** What one step may count for, unless the process was busy for longer: else it had no turn. */
const MOST_MS = 2 * STEP_MS;

/** How long something took this process, in milliseconds. */
export type OwnTime = () => number;

/**
 * Begins to count the time in which this process had its turns. What passes while it, or the whole machine, stands still does not count: a promised
 * limit holds for the product's own timers, which stand still as well, and is not broken by a machine that is busy with something else. Time in which
 * the process itself held up its event loop counts: it used the processor meanwhile.
 */
export function ownTime(): OwnTime {
  let counted = 0;
  let last = performance.now();
  let lastBusy = busyMs();
  const step = (): void => {
    const [now, busy] = [performance.now(), busyMs()];
    counted += Math.min(now - last, Math.max(MOST_MS, busy - lastBusy));
    last = now;
    lastBusy = busy;
  };
  setInterval(step, STEP_MS).unref();
  return () => {
    step();
    return counted;
  };
}

/** Processor time of this process so far, in milliseconds. */
function busyMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
