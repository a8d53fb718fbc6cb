import { LRUCache } from 'lru-cache';

/** For how long an answer is good although nothing has changed: its figures age with the clock. Who asks may keep it as long again. */
const GOOD_FOR_MS = 30_000;
/** Scopes are as many as there are organizations and superusers together; the ones asked last are kept. */
const KEPT = 200;

/** Answers that take long, kept until what they rest on has changed. */
export class RememberedAnswers<T> {
  private readonly answers = new LRUCache<string, { readonly stamp: string; readonly at: Date; readonly answer: T }>({
    max: KEPT,
  });

  /**
   * @param key whose answer
   * @param stamp changes when what the answer rests on changes
   * @param compute makes the answer anew
   */
  async get(key: string, stamp: string, now: Date, compute: () => Promise<T>): Promise<T> {
    const known = this.answers.get(key);
    const age = known ? now.getTime() - known.at.getTime() : Infinity;
    if (known && known.stamp === stamp && age >= 0 && age < GOOD_FOR_MS) return known.answer;
    const answer = await compute();
    this.answers.set(key, { stamp, at: now, answer });
    return answer;
  }
}
