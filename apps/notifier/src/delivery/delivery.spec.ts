import { afterFailure } from './delivery.js';

describe('what becomes of a mail that was not taken', () => {
  const createdAt = new Date('2026-05-20T17:00:00Z');
  const minutesLater = (minutes: number) => new Date(createdAt.getTime() + minutes * 60_000);

  it('is tried again, later and later', () => {
    const pauses = [1, 2, 3, 4, 5, 6, 20].map((attempts) => {
      const { state, nextAttemptAt } = afterFailure({ attempts, createdAt }, false, createdAt);
      expect(state).toBe('failed');
      return (nextAttemptAt!.getTime() - createdAt.getTime()) / 60_000;
    });
    expect(pauses).toEqual([1, 5, 15, 60, 240, 240, 240]);
  });

  it('is given up when it has become old', () => {
    expect(afterFailure({ attempts: 30, createdAt }, false, minutesLater(3 * 24 * 60 - 239)).state).toBe('dead');
    expect(afterFailure({ attempts: 30, createdAt }, false, minutesLater(3 * 24 * 60 - 241)).state).toBe('failed');
  });

  it('is dead at once when the server refuses it for good', () => {
    expect(afterFailure({ attempts: 1, createdAt }, true, createdAt)).toEqual({ state: 'dead', nextAttemptAt: null });
  });
});
