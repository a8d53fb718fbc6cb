import type { StreamEntry } from './broker.js';
import type { ConsumerTime } from './consumer-settings.js';

interface Stored {
  readonly id: string;
  readonly position: number;
  readonly fields: readonly Buffer[];
}

/** One row of the pending list. */
export interface PendingRow {
  readonly id: string;
  readonly owner: string;
  readonly since: number;
  readonly deliveries: number;
}

/** What Redis keeps under one key: the entries, and the group with its position and pending list. */
export class InMemoryStream {
  private readonly entries = new Map<string, Stored>();
  private readonly pending = new Map<string, PendingRow>();
  private readonly names = new Map<string, number>();
  private readonly sleepers = new Set<() => void>();
  private readPosition = 0;
  private lastPosition = 0;

  constructor(private readonly time: ConsumerTime) {}

  get length(): number {
    return this.entries.size;
  }

  get consumers(): string[] {
    return [...this.names.keys()];
  }

  /** In the order of arrival. */
  get pendingRows(): PendingRow[] {
    return [...this.pending.values()].sort((a, b) => this.positionOf(a.id) - this.positionOf(b.id));
  }

  get oldestAgeMs(): number {
    const [first] = this.entries.keys();
    return first === undefined ? 0 : this.time.now() - Number(first.split('-')[0]);
  }

  add(fields: readonly Buffer[]): string {
    const position = ++this.lastPosition;
    const id = `${this.time.now()}-${position}`;
    this.entries.set(id, { id, position, fields });
    this.wake();
    return id;
  }

  /** XREADGROUP with `>`. */
  readNew(count: number, consumer: string): StreamEntry[] {
    this.see(consumer);
    const found: StreamEntry[] = [];
    for (const { id, position, fields } of this.entries.values()) {
      if (position <= this.readPosition) continue;
      if (found.length === count) break;
      this.readPosition = position;
      this.pending.set(id, { id, owner: consumer, since: this.time.now(), deliveries: 1 });
      found.push({ id, delivery: 1, fields });
    }
    return found;
  }

  /** XCLAIM with RETRYCOUNT and IDLE; undefined when the entry was deleted (its pending row goes too). */
  claim(id: string, owner: string, deliveries: number, idleMs = 0): StreamEntry | undefined {
    const stored = this.entries.get(id);
    if (stored === undefined) {
      this.pending.delete(id);
      return undefined;
    }
    this.see(owner);
    this.pending.set(id, { id, owner, since: this.time.now() - idleMs, deliveries });
    return { id, delivery: deliveries, fields: stored.fields };
  }

  row(id: string): PendingRow | undefined {
    return this.pending.get(id);
  }

  /** XACK and XDEL. */
  settle(ids: readonly string[]): number {
    let settled = 0;
    for (const id of ids) {
      this.pending.delete(id);
      if (this.entries.delete(id)) settled++;
    }
    return settled;
  }

  /** XGROUP DELCONSUMER for the empty ones among those that `chosen` picks by name and silence. */
  forget(chosen: (name: string, silentMs: number) => boolean): number {
    const busy = new Set([...this.pending.values()].map((row) => row.owner));
    let removed = 0;
    for (const [name, seen] of this.names) {
      if (busy.has(name) || !chosen(name, this.time.now() - seen)) continue;
      this.names.delete(name);
      removed++;
    }
    return removed;
  }

  see(consumer: string): void {
    this.names.set(consumer, this.time.now());
  }

  /** XGROUP DESTROY; the group comes back at 0, so everything is delivered again. */
  destroyGroup(): void {
    this.pending.clear();
    this.names.clear();
    this.readPosition = 0;
    this.wake();
  }

  /** DEL: what was in it is lost. */
  delete(): void {
    this.entries.clear();
    this.destroyGroup();
  }

  /** Resolves at the next change of the stream. */
  change(): { readonly happened: Promise<void>; readonly forget: () => void } {
    let forget = (): void => undefined;
    const happened = new Promise<void>((resolve) => {
      this.sleepers.add(resolve);
      forget = () => {
        this.sleepers.delete(resolve);
      };
    });
    return { happened, forget };
  }

  wake(): void {
    for (const wake of this.sleepers) wake();
    this.sleepers.clear();
  }

  private positionOf(id: string): number {
    return Number(id.split('-')[1]);
  }
}
