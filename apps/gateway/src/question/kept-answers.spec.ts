import { describe, expect, it } from '@jest/globals';
import { KeptAnswers } from './kept-answers.js';

describe('kept answers', () => {
  const of = (tag: string) => ({ tag, answer: tag });

  it('take no more room than they are given, and those used last stay', () => {
    const kept = new KeptAnswers<string>(100_000);
    for (let i = 0; i < 200; i++) {
      kept.keep(`question ${i}`, of(`t${i}`), 500);
      // In use all the time.
      expect(kept.find('question 0')).toMatchObject(of('t0'));
      expect(kept.bytes).toBeLessThanOrEqual(100_000);
    }
    expect(kept.find('question 199')).toMatchObject(of('t199'));
    expect(kept.find('question 1')).toBeUndefined();
    // It is not that hardly any is kept.
    expect(kept.bytes).toBeGreaterThan(90_000);
  });

  it('are counted once when they are replaced', () => {
    const kept = new KeptAnswers<string>(100_000);
    kept.keep('question', of('t1'), 100);
    const { bytes } = kept;
    kept.keep('question', of('t2'), 100);
    expect(kept.bytes).toBe(bytes);
    expect(kept.find('question')).toMatchObject(of('t2'));
  });

  it('do not push out many others for a great one, and forget the one that it replaces', () => {
    const kept = new KeptAnswers<string>(100_000);
    kept.keep('small', of('t1'), 100);
    kept.keep('great', of('t2'), 100);
    kept.keep('great', of('t3'), 10_000);
    expect(kept.find('small')).toMatchObject(of('t1'));
    expect(kept.find('great')).toBeUndefined();
  });
});
