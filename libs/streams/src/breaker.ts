/** The type of entries that could not even be read. */
export const UNREADABLE = 'unreadable';

/**
 * Stops a partition's loop when everything of some type fails: then the fault is ours (a bad deploy, a migration that did
 * not run), and reading on would only spend the deliveries of good messages and bury them.
 *
 * Closed: works. After `limit` failures in a row of one type without a success of that type between → open: what is held
 * goes back uncounted, nothing is buried, and one message at a time is tried as a probe. A probe that succeeds closes it.
 */
export class Breaker {
  private readonly failures = new Map<string, number>();
  private isOpen = false;
  private why = '';

  constructor(private readonly limit: number) {}

  get open(): boolean {
    return this.isOpen;
  }

  /** Closed, and no type has failed since its last success. */
  get calm(): boolean {
    return !this.isOpen && this.failures.size === 0;
  }

  /** Why it is open; empty when closed. */
  get reason(): string {
    return this.why;
  }

  /**
   * Messages of `type` committed. Returns true when that closed the breaker. A type that still only fails stays one
   * failure short of opening it again, so that other types get on without it spending deliveries.
   */
  succeeded(type: string): boolean {
    this.failures.delete(type);
    // Whoever understood this message can read: what was unreadable before was at fault itself, and counts no longer.
    this.failures.delete(UNREADABLE);
    if (!this.isOpen) return false;
    this.isOpen = false;
    this.why = '';
    for (const [other, count] of this.failures) this.failures.set(other, Math.min(count, this.limit - 1));
    return true;
  }

  /** How many more of `type` may fail before it opens. */
  allowance(type: string): number {
    return this.isOpen ? 0 : this.limit - (this.failures.get(type) ?? 0);
  }

  /** One message of `type` failed by its own. Returns true when that opened the breaker. */
  failed(type: string, reason: string): boolean {
    const count = (this.failures.get(type) ?? 0) + 1;
    this.failures.set(type, count);
    if (this.isOpen || count < this.limit) return false;
    this.isOpen = true;
    this.why = `${count} messages of ${type} failed in a row; the last: ${reason}`;
    return true;
  }
}
