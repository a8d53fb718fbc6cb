import type { Delivered } from './envelope.js';
import type { MessageReader, Readable } from './message-reader.js';
import type { BatchContext, BatchHandler, DeadLetter } from './ports.js';

/** One attempt at a group of messages: the context that handlers see, and what they said. New for every attempt. */
export class HandledBatch<Tx> implements BatchContext {
  private readonly failures = new Map<Delivered, { readonly code: string; readonly detail: string }>();
  readonly afterwards: (() => Promise<void> | void)[] = [];

  constructor(
    readonly group: readonly Readable<Tx>[],
    private readonly reader: MessageReader<Tx>,
  ) {}

  fail(message: Delivered, code: string, detail: string): void {
    if (!this.group.some((work) => work.message === message)) {
      throw new Error(`fail() was given a message (${message.envelope.id}) that is not in the batch.`);
    }
    if (!this.failures.has(message)) this.failures.set(message, { code, detail });
  }

  afterCommit(work: () => Promise<void> | void): void {
    this.afterwards.push(work);
  }

  /** Calls each handler once with its messages, in the order of arrival. */
  async handle(tx: Tx): Promise<void> {
    const shares = new Map<BatchHandler<Tx>, Delivered[]>();
    for (const { handler, message } of this.group) {
      const share = shares.get(handler);
      if (share === undefined) shares.set(handler, [message]);
      else share.push(message);
    }
    for (const [handler, messages] of shares) await handler.handle(tx, messages, this);
  }

  letters(): DeadLetter[] {
    if (this.failures.size === 0) return [];
    const letters: DeadLetter[] = [];
    for (const { entry, message, handler } of this.group) {
      const failure = this.failures.get(message);
      if (failure === undefined) continue;
      letters.push(this.reader.letter(entry, message.envelope, failure.code, failure.detail, handler));
    }
    return letters;
  }

  /** By type: how many messages the handlers failed and how many they took. */
  tally(): Map<string, { failed: number; taken: number; reason: string }> {
    const tally = new Map<string, { failed: number; taken: number; reason: string }>();
    for (const { message } of this.group) {
      const type = typeOf(message);
      const row = tally.get(type) ?? { failed: 0, taken: 0, reason: '' };
      const failure = this.failures.get(message);
      if (failure === undefined) row.taken++;
      else {
        row.failed++;
        row.reason = `${failure.code}: ${failure.detail}`;
      }
      tally.set(type, row);
    }
    return tally;
  }
}

export function typeOf(message: Delivered): string {
  return `${message.envelope.type}@${message.envelope.version}`;
}
