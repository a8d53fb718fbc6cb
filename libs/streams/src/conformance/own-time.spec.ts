import { describe, expect, it } from '@jest/globals';
import { ownTime } from './own-time.js';

const LONG_MS = 400;

describe('the time in which a process had its turns', () => {
  it('counts while the process holds up its own event loop', () => {
    const took = ownTime();
    const begun = process.cpuUsage();
    const busyMs = () => process.cpuUsage(begun).user / 1_000;
    while (busyMs() < LONG_MS);
    expect(took()).toBeGreaterThan(LONG_MS * 0.9);
  });

  it('does not count while the process stands still', () => {
    const took = ownTime();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LONG_MS);
    expect(took()).toBeLessThan(LONG_MS / 2);
  });
});
