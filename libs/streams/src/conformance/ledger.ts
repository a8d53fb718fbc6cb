import type { FailureKind } from '../failures.js';
import type { DeadLetter, DeadLetterStore, UnitOfWork } from '../ports.js';

/** A transaction of the ledger: what it wrote becomes true with its commit. */
export interface LedgerTx {
  readonly effects: string[];
  readonly letters: DeadLetter[];
}

/** An error of the ledger, of a kind that a database would give. */
export class LedgerError extends Error {
  constructor(
    readonly kind: FailureKind,
    message: string,
  ) {
    super(message);
  }
}

/** A database small enough to be obviously right: receipts by message id, dead letters, and a history of commits. */
export class Ledger implements UnitOfWork<LedgerTx>, DeadLetterStore<LedgerTx> {
  /** How often each message id had its effect: the guarantee says once. */
  readonly effects = new Map<string, number>();
  readonly dead: DeadLetter[] = [];
  /** Ids of each committed transaction. */
  readonly commits: string[][] = [];
  transactions = 0;
  /** Throws for a transaction; called as it opens. */
  trouble: () => void = () => undefined;
  /** Called right after a commit, before the consumer learns of it. */
  committed: () => Promise<void> | void = () => undefined;

  async run<T>(work: (tx: LedgerTx) => Promise<T>): Promise<T> {
    this.transactions++;
    this.trouble();
    const tx: LedgerTx = { effects: [], letters: [] };
    const result = await work(tx);
    this.trouble();
    for (const id of tx.effects) this.effects.set(id, (this.effects.get(id) ?? 0) + 1);
    for (const letter of tx.letters) {
      const again = letter.envelope !== null && this.dead.some((other) => other.envelope?.id === letter.envelope!.id);
      if (!again) this.dead.push(letter);
    }
    this.commits.push(tx.effects);
    await this.committed();
    return result;
  }

  async record(tx: LedgerTx, letters: readonly DeadLetter[]): Promise<void> {
    tx.letters.push(...letters);
  }

  /** The guard of every handler: a receipt that stands is not written again. */
  apply(tx: LedgerTx, id: string): void {
    if (!this.effects.has(id) && !tx.effects.includes(id)) tx.effects.push(id);
  }

  readonly classify = (error: unknown): FailureKind => (error instanceof LedgerError ? error.kind : 'other');
}
