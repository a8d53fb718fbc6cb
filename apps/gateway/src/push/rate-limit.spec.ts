import fc from 'fast-check';
import { afterRequest, rateOf, remaining, waitMs } from './rate-limit.js';

describe('the rate limit', () => {
  const rate = rateOf({ quota: 10, windowSeconds: 60 });

  it('lets the quota through at once and then one every window / quota', () => {
    let tat = 0;
    const at: number[] = [];
    for (let now = 1_000_000; now < 1_060_000; now += 100) {
      const next = afterRequest(rate, tat, now);
      if (next === null) continue;
      tat = next;
      at.push(now - 1_000_000);
    }
    // Ten at once (one every 100 ms here), then one every 6 s.
    expect(at.slice(0, 10)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
    expect(at.slice(10, 14)).toEqual([6_000, 12_000, 18_000, 24_000]);
  });

  it('says how long to wait so exactly that the next request is let through then and not before', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 3600 }),
        fc.integer({ min: 0, max: 40 }),
        (quota, windowSeconds, pause) => {
          const own = rateOf({ quota, windowSeconds });
          let now = 5_000_000;
          let tat = 0;
          for (let next = afterRequest(own, tat, now); next !== null; next = afterRequest(own, tat, now)) {
            tat = next;
            now += pause;
            if (pause >= own.costMs) return;
          }
          const wait = waitMs(own, tat, now);
          expect(wait).toBeGreaterThan(0);
          expect(afterRequest(own, tat, now + wait)).not.toBeNull();
          expect(afterRequest(own, tat, now + wait - own.costMs / 100)).toBeNull();
          expect(remaining(own, tat, now)).toBe(0);
        },
      ),
    );
  });

  it('counts down what remains', () => {
    let tat = 0;
    const left: number[] = [];
    for (let i = 0; i < 10; i++) {
      tat = afterRequest(rate, tat, 50)!;
      left.push(remaining(rate, tat, 50));
    }
    expect(left).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  });
});
