/** That what the caller has is still right. */
export const UNCHANGED = Symbol('unchanged');

/**
 * An answer that the caller may keep and ask for again: with its tag, next time, and then it may be told that nothing has changed. Who keeps
 * it uses it no further than that: each question is still asked.
 */
export class TaggedAnswer {
  /**
   * @param tag differs whenever the answer differs
   * @param at RFC 3339: the answer is right as of this instant
   */
  constructor(
    readonly tag: string,
    readonly at: string,
    readonly output: unknown,
  ) {}
}

/** What comes of asking again. */
export interface AskedAgain<Output> {
  /** null: the server tags nothing, keep nothing. */
  readonly tag: string | null;
  /** RFC 3339; null: the server does not say. */
  readonly at: string | null;
  /** `UNCHANGED` only when a tag was sent along. */
  readonly output: Output | typeof UNCHANGED;
  /** Characters that came over the wire: what keeping it costs, about. */
  readonly size: number;
}
