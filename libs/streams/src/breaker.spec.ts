import { describe, expect, it } from '@jest/globals';
import { Breaker, UNREADABLE } from './breaker.js';

describe(Breaker.name, () => {
  it('opens at the limit of failures in a row of one type', () => {
    const breaker = new Breaker(3);
    expect([1, 2, 3].map(() => breaker.failed('a@1', 'boom'))).toEqual([false, false, true]);
    expect(breaker.open).toBe(true);
    expect(breaker.reason).toContain('boom');
    expect(breaker.allowance('a@1')).toBe(0);
  });

  it('a success between starts the count anew; another type has its own count', () => {
    const breaker = new Breaker(3);
    breaker.failed('a@1', 'x');
    breaker.failed('a@1', 'x');
    breaker.failed('b@1', 'x');
    breaker.succeeded('a@1');
    expect(breaker.failed('a@1', 'x')).toBe(false);
    expect(breaker.allowance('a@1')).toBe(2);
    expect(breaker.allowance('b@1')).toBe(2);
  });

  it('whoever understands a message can read: unreadable entries between good messages never open it', () => {
    const breaker = new Breaker(3);
    for (let i = 0; i < 20; i++) {
      expect(breaker.failed(UNREADABLE, 'junk')).toBe(false);
      breaker.succeeded('a@1');
    }
    expect([1, 2, 3].map(() => breaker.failed(UNREADABLE, 'junk'))).toEqual([false, false, true]);
  });

  it('a success of another type closes it, and the next failure of the broken type opens it again', () => {
    const breaker = new Breaker(3);
    for (let i = 0; i < 3; i++) breaker.failed('a@1', 'x');
    expect(breaker.succeeded('b@1')).toBe(true);
    expect(breaker.open).toBe(false);
    expect(breaker.failed('a@1', 'x')).toBe(true);
    expect(breaker.succeeded('a@1')).toBe(true);
    expect(breaker.allowance('a@1')).toBe(3);
  });
});
