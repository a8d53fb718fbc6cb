/** A clock for tests that moves only when told. Fits `Clock` of `#libs/runtime`. */
export class ManualClock {
  private current: number;

  /** @param start RFC 3339 or a Date; where time begins. */
  constructor(start: string | Date) {
    this.current = new Date(start).getTime();
  }

  now(): Date {
    return new Date(this.current);
  }

  /** Moves time by `milliseconds`; negative values move it back. */
  advance(milliseconds: number): void {
    this.current += milliseconds;
  }

  set(instant: string | Date): void {
    this.current = new Date(instant).getTime();
  }
}
