/**
 * Only one lane of a process at a time takes over what others left, over all its partitions and queues: what was delivered before is a
 * suspect. Should one of them kill the process, no other is in its hands and counted with it. (Two that were left by the same death come
 * due at the same moment, again and again: an innocent one would die with its murderer.)
 */
export class Solo {
  private taken = false;

  /** Runs `work`, unless somebody else is at it. @returns null when so; then try again soon */
  async tryRun<T>(work: () => Promise<T>): Promise<T | null> {
    if (this.taken) return null;
    this.taken = true;
    try {
      return await work();
    } finally {
      this.taken = false;
    }
  }
}
