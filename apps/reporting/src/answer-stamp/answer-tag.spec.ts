import { describe, expect, it } from '@jest/globals';
import { answerTag, GOOD_FOR_MS, groundsOf, standingOf } from './answer-tag.js';

const MADE = new Date('2026-03-03T10:00:00Z');

/** Milliseconds after which the answer to page `page` is good no longer. */
function lifeOf(page: number): number {
  const grounds = groundsOf('list', { page }, 'stamp');
  const tag = answerTag(grounds, MADE);
  const isGood = (afterMs: number): boolean =>
    standingOf(tag, grounds, new Date(MADE.getTime() + afterMs)) !== 'outdated';
  expect(isGood(GOOD_FOR_MS.least - 1)).toBe(true);
  expect(isGood(GOOD_FOR_MS.most)).toBe(false);
  let [good, over]: [number, number] = [GOOD_FOR_MS.least - 1, GOOD_FOR_MS.most];
  while (over - good > 1) {
    const between = Math.floor((good + over) / 2);
    if (isGood(between)) good = between;
    else over = between;
  }
  return over;
}

describe('the tag of an answer', () => {
  it('is good for a time of the question’s own, so that a page’s answers are not all made anew at once', () => {
    const lives = Array.from({ length: 200 }, (_, page) => lifeOf(page));
    expect(lifeOf(7)).toBe(lives[7]);
    // Even spreading puts 20 of 200 into each tenth of the ten seconds.
    const tenths = Array.from({ length: 10 }, () => 0);
    for (const life of lives) tenths[Math.min(9, Math.floor((life - GOOD_FOR_MS.least) / 1_000))]!++;
    expect(Math.min(...tenths)).toBeGreaterThanOrEqual(8);
    expect(Math.max(...tenths)).toBeLessThanOrEqual(40);
  });

  it('says that the answer ages before it is good no longer', () => {
    const grounds = groundsOf('list', { page: 1 }, 'stamp');
    const tag = answerTag(grounds, MADE);
    const after = (ms: number) => standingOf(tag, grounds, new Date(MADE.getTime() + ms));
    expect(after(GOOD_FOR_MS.least / 2)).toBe('right');
    expect(after(lifeOf(1) - 1)).toBe('ageing');
    expect(after(lifeOf(1))).toBe('outdated');
  });

  it('is good for its own grounds only, and for none when the clock has gone back', () => {
    const grounds = groundsOf('list', { page: 1 }, 'stamp');
    const tag = answerTag(grounds, MADE);
    expect(standingOf(tag, grounds, MADE)).toBe('right');
    expect(standingOf(tag, grounds, new Date(MADE.getTime() - 1))).toBe('outdated');
    for (const other of [
      groundsOf('list', { page: 1 }, 'stamq'),
      groundsOf('list', { page: 2 }, 'stamp'),
      groundsOf('lists', { page: 1 }, 'stamp'),
    ]) {
      expect(standingOf(tag, other, MADE)).toBe('outdated');
    }
  });
});
