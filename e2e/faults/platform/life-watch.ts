import { readFileSync } from 'node:fs';
import type { ServiceProcess } from '../../harness/processes.js';

/** Looks in the time that a process may be silent. */
const LOOKS = 5;
/** What the kernel counts processor time in (USER_HZ). */
const TICK_MS = 10;

/**
 * Kills a process that has stood still, as a supervisor does. Still means: it spent `silentMs` of processor time without a turn of its
 * loop in which it could answer `/healthz`. Time on the clock would not do: on a busy machine a healthy process waits for its turn, and a
 * supervisor that kills it for that only makes the machine busier.
 */
export class LifeWatch {
  private readonly timer: NodeJS.Timeout;
  private readonly everyMs: number;
  private asking = false;
  private lookedAt = performance.now();
  /** Of the process that answered last: what it had spent by then. Nobody has answered yet: it may still be starting. */
  private lastAnswer: { readonly pid: number; readonly spentMs: number } | null = null;

  constructor(
    private readonly process: ServiceProcess,
    private readonly healthUrl: string,
    private readonly silentMs: number,
  ) {
    this.everyMs = Math.max(100, silentMs / LOOKS);
    this.timer = setInterval(() => this.look(), this.everyMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const now = performance.now();
    // This process itself had no turn: an answer may lie there unread.
    const wasAway = now - this.lookedAt > 2 * this.everyMs;
    this.lookedAt = now;
    if (!this.process.running) {
      this.lastAnswer = null;
      return;
    }
    const { pid } = this.process;
    if (!this.asking) void this.ask(pid);
    if (wasAway || this.lastAnswer?.pid !== pid) return;
    if (spentMs(pid) - this.lastAnswer.spentMs > this.silentMs) {
      this.lastAnswer = null;
      this.process.signal('SIGKILL');
    }
  }

  private async ask(pid: number): Promise<void> {
    this.asking = true;
    // Whatever it says: it can speak.
    const alive = await fetch(`${this.healthUrl}/healthz`, { signal: AbortSignal.timeout(30_000) })
      .then((answer) => answer.arrayBuffer())
      .then(
        () => true,
        () => false,
      );
    this.asking = false;
    // Meanwhile another may have been started in its place.
    if (alive && this.process.running && this.process.pid === pid) this.lastAnswer = { pid, spentMs: spentMs(pid) };
  }
}

/** Processor time that a process has spent so far, in milliseconds; where /proc does not tell (not Linux), time on the clock. */
function spentMs(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // After the name, which may contain anything: state is the first field, utime and stime are the twelfth and thirteenth.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return performance.now();
  }
}
