import { describe, expect, it } from '@jest/globals';
import { dueAfterFailure, dueAfterSuccess, inSecurityWindow, nextSecurityWindow, POLITE_BEAT } from './beat.js';

const HOUR = 3_600_000;
const at = (instant: string) => new Date(instant);

describe('the beat', () => {
  it('knows the window: Wednesday from 15:00 until 19:00 UTC', () => {
    // 4 March 2026 is a Wednesday.
    expect(
      [
        '2026-03-04T14:59:59Z',
        '2026-03-04T15:00:00Z',
        '2026-03-04T18:59:59Z',
        '2026-03-04T19:00:00Z',
        '2026-03-05T16:00:00Z',
      ].map((instant) => inSecurityWindow(at(instant))),
    ).toEqual([false, true, true, false, false]);
    expect(nextSecurityWindow(at('2026-03-03T10:00:00Z'))).toEqual(at('2026-03-04T15:00:00Z'));
    expect(nextSecurityWindow(at('2026-03-04T15:00:00Z'))).toEqual(at('2026-03-11T15:00:00Z'));
  });

  it('is faster in the window, and spread by a tenth around', () => {
    const wednesday = at('2026-03-04T16:00:00Z');
    const monday = at('2026-03-02T08:00:00Z');
    const wait = (now: Date, random: number) =>
      (dueAfterSuccess(POLITE_BEAT.module, now, random).getTime() - now.getTime()) / HOUR;
    expect([wait(monday, 0), wait(monday, 0.5), wait(monday, 0.999)].map((hours) => hours.toFixed(1))).toEqual([
      '5.4',
      '6.0',
      '6.6',
    ]);
    expect([wait(wednesday, 0), wait(wednesday, 0.999)].map((hours) => hours.toFixed(1))).toEqual(['1.8', '2.2']);
  });

  it('never sleeps through the beginning of a window, and does not wake all at once', () => {
    const before = at('2026-03-04T14:00:00Z');
    const dues = Array.from({ length: 100 }, (_, i) => dueAfterSuccess(POLITE_BEAT.module, before, i / 100).getTime());
    expect(Math.max(...dues)).toBeLessThanOrEqual(at('2026-03-04T17:00:00Z').getTime());
    expect(new Set(dues).size).toBeGreaterThan(50);
  });

  it('backs off exponentially with jitter, up to a limit, and never asks before the host’s own Retry-After', () => {
    const now = at('2026-03-02T08:00:00Z');
    const wait = (failures: number, retryAfterMs: number | null, random: number, usualMs = 24 * HOUR) => {
      const usual = new Date(now.getTime() + usualMs);
      return dueAfterFailure(60_000, { failures, retryAfterMs, usual }, now, random).getTime() - now.getTime();
    };
    expect([1, 2, 3, 4].map((failures) => wait(failures, null, 0.5))).toEqual([60_000, 120_000, 240_000, 480_000]);
    expect([wait(1, null, 0), wait(1, null, 0.999)].map(Math.round)).toEqual([30_000, 89_940]);
    expect(wait(60, null, 0.5)).toBe(6 * HOUR);
    expect(wait(1, 2 * HOUR, 0.5)).toBe(2 * HOUR);
    expect(wait(1, 900 * HOUR, 0.5)).toBe(24 * HOUR);
    // What is asked for every five minutes is not left alone for hours because it failed for one.
    expect([1, 2, 3, 4, 60].map((failures) => wait(failures, null, 0.5, HOUR / 12))).toEqual([
      ...[60_000, 120_000, 240_000],
      ...[300_000, 300_000],
    ]);
    expect(wait(60, HOUR, 0.5, HOUR / 12)).toBe(HOUR);
    expect(wait(60, null, 0.5, -HOUR)).toBe(30_000);
  });
});
