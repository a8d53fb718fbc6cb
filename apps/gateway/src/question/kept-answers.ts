/** What keeping one costs beside its characters: key, tag, a few objects. */
const OVERHEAD_BYTES = 1_000;
/** An answer that takes a greater part of the room than this is not kept. */
const GREATEST_PART = 1 / 32;

/** An answer with the tag that its owner gave it. */
export interface KeptAnswer<T> {
  readonly tag: string;
  readonly answer: T;
}

interface Kept<T> extends KeptAnswer<T> {
  readonly bytes: number;
}

/** Answers by the whole question they were given to, bounded by what they take: the ones used last stay. */
export class KeptAnswers<T> {
  private readonly answers = new Map<string, Kept<T>>();
  private taken = 0;

  /** @param mostBytes of memory, about */
  constructor(private readonly mostBytes: number) {}

  /** Bytes that are taken, about. */
  get bytes(): number {
    return this.taken;
  }

  /** @param question all that shapes the answer, whose data it may show first of all */
  find(question: string): KeptAnswer<T> | undefined {
    const kept = this.answers.get(question);
    if (kept !== undefined) {
      // Maps keep the order of insertion: what is first was not used for longest.
      this.answers.delete(question);
      this.answers.set(question, kept);
    }
    return kept;
  }

  /** @param characters of the answer as it came; each may take two bytes */
  keep(question: string, { tag, answer }: KeptAnswer<T>, characters: number): void {
    this.forget(question);
    const bytes = 2 * (question.length + characters) + OVERHEAD_BYTES;
    if (bytes > this.mostBytes * GREATEST_PART) return;
    this.answers.set(question, { tag, answer, bytes });
    this.taken += bytes;
    for (const oldest of this.answers.keys()) {
      if (this.taken <= this.mostBytes) break;
      this.forget(oldest);
    }
  }

  private forget(question: string): void {
    const kept = this.answers.get(question);
    if (kept === undefined) return;
    this.answers.delete(question);
    this.taken -= kept.bytes;
  }
}
