import { LRUCache } from 'lru-cache';

/** What keeping one costs beside its characters: key, tag, a few objects. */
const OVERHEAD_BYTES = 1_000;
/** An answer that takes a greater part of the room than this is not kept. */
const GREATEST_PART = 1 / 32;

/** An answer with the tag that its owner gave it. */
export interface KeptAnswer<T> {
  readonly tag: string;
  readonly answer: T;
}

/** Answers by the whole question they were given to, bounded by what they take: the ones used last stay. */
export class KeptAnswers<T> {
  private readonly answers: LRUCache<string, KeptAnswer<T>>;

  /** @param mostBytes of memory, about */
  constructor(mostBytes: number) {
    this.answers = new LRUCache({ maxSize: mostBytes, maxEntrySize: Math.floor(mostBytes * GREATEST_PART) });
  }

  /** Bytes that are taken, about. */
  get bytes(): number {
    return this.answers.calculatedSize;
  }

  /** @param question all that shapes the answer, whose data it may show first of all */
  find(question: string): KeptAnswer<T> | undefined {
    return this.answers.get(question);
  }

  /** @param characters of the answer as it came; each may take two bytes */
  keep(question: string, answer: KeptAnswer<T>, characters: number): void {
    this.answers.set(question, answer, { size: 2 * (question.length + characters) + OVERHEAD_BYTES });
  }
}
