import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { asSystem } from '#libs/database';
import type { Clock, Logger } from '#libs/runtime';
import { CLOCK, LOGGER } from '../tokens.js';
import { AuditLine } from './audit-line.entity.js';

/** What happened, as the caller knows it. */
export interface AuditEntry {
  readonly action: string;
  readonly actor: string;
  readonly organizationId?: number | null;
  readonly subject?: string | null;
  readonly address?: string | null;
  readonly requestId?: string | null;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface RefusedEntry extends AuditEntry {
  readonly reason: string;
}

type NewLine = Omit<AuditLine, 'id'>;

interface Group {
  line: NewLine;
  occurrences: number;
  /** Milliseconds since the epoch before which the group is not written again. */
  quietUntil: number;
}

/** How soon a line is in the table. */
const FLUSH_EVERY_MS = 500;
/** After its first line a kind of refusal is counted so long and written as one line. */
const QUIET_MS = 60_000;
/** Kinds of refusal told apart; the rest is counted under `other`. */
const MOST_GROUPS = 200;
/** Lines that wait for a database that is away. More are counted and told when it is back. */
const MOST_WAITING = 2_000;

/**
 * The audit log. What changes data is written in its transaction (`record`); log-ins and refusals are written shortly after, many
 * in one statement. Refusals of one kind (action, reason, actor, subject) become one line a minute with their count, and there are
 * at most 200 kinds a minute: a flood fills neither disk nor memory.
 */
@Injectable()
export class AuditLog implements OnApplicationShutdown {
  private waiting: NewLine[] = [];
  /** Happenings whose lines could not be kept while the database was away. */
  private lost = 0;
  private readonly groups = new Map<string, Group>();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly dataSource: DataSource,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Writes one line in `tx`: it is there when, and only when, the change is. */
  async record(tx: EntityManager, entry: AuditEntry): Promise<void> {
    // A line may be of no organization, or of one that is not the doer's.
    await asSystem(() => tx.insert(AuditLine, toLine(entry, 'done', null, this.clock.now()) as never));
  }

  /** Notes what was done without a transaction of ours. */
  done(entry: AuditEntry): void {
    this.enqueue(toLine(entry, 'done', null, this.clock.now()));
  }

  /** Notes what was refused, and why. Cheap enough for a flood. */
  refused(entry: RefusedEntry): void {
    const now = this.clock.now();
    let key = `${entry.action} ${entry.reason} ${entry.actor} ${entry.subject ?? ''}`;
    let group = this.groups.get(key);
    if (group === undefined && this.groups.size >= MOST_GROUPS) {
      key = 'other';
      group = this.groups.get(key);
    }
    if (group === undefined) {
      group = { line: toLine(entry, 'refused', entry.reason, now), occurrences: 0, quietUntil: 0 };
      this.groups.set(key, group);
    }
    group.occurrences++;
    if (group.quietUntil === 0)
      group.line = key === 'other' ? otherLine(now) : toLine(entry, 'refused', entry.reason, now);
    this.schedule();
  }

  /** Writes all that is known now, the counts of quiet groups included. */
  async flush(): Promise<void> {
    await this.write(true);
  }

  async onApplicationShutdown(): Promise<void> {
    clearTimeout(this.timer);
    await this.flush();
  }

  private enqueue(line: NewLine): void {
    if (this.waiting.length >= MOST_WAITING) this.lost++;
    else this.waiting.push(line);
    this.schedule();
  }

  private schedule(): void {
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.write(false);
    }, FLUSH_EVERY_MS);
    this.timer.unref();
  }

  private write(all: boolean): Promise<void> {
    this.writing = this.writing.then(() => this.writeNow(all));
    return this.writing;
  }

  private async writeNow(all: boolean): Promise<void> {
    const lines = this.collect(all);
    const lost = this.lost;
    try {
      if (lines.length > 0 || lost > 0) {
        const all = [...lines, ...(lost > 0 ? [this.lostLine(lost)] : [])];
        await asSystem(() => this.dataSource.manager.insert(AuditLine, all as never));
      }
      this.lost -= lost;
    } catch (error) {
      this.logger.error({ err: error, lines: lines.length }, 'audit lines cannot be written yet');
      const room = Math.max(0, MOST_WAITING - this.waiting.length);
      this.lost += lines.slice(room).reduce((sum, line) => sum + line.occurrences, 0);
      this.waiting = [...lines.slice(0, room), ...this.waiting];
    }
    if (this.waiting.length > 0 || this.groups.size > 0) this.schedule();
  }

  private lostLine(occurrences: number): NewLine {
    return { ...otherLine(this.clock.now()), action: 'audit.lines_lost', occurrences };
  }

  private collect(all: boolean): NewLine[] {
    const lines = this.waiting;
    this.waiting = [];
    const now = this.clock.now().getTime();
    for (const [key, group] of this.groups) {
      if (group.quietUntil > now && !all) continue;
      if (group.occurrences === 0) {
        this.groups.delete(key);
        continue;
      }
      lines.push({ ...group.line, occurrences: group.occurrences });
      group.occurrences = 0;
      group.quietUntil = now + QUIET_MS;
    }
    return lines;
  }
}

function otherLine(at: Date): NewLine {
  return toLine({ action: 'refused.other', actor: 'anonymous' }, 'refused', 'other', at);
}

function toLine(entry: AuditEntry, outcome: string, reason: string | null, at: Date): NewLine {
  return {
    organizationId: entry.organizationId ?? null,
    at,
    action: entry.action,
    outcome,
    reason,
    actor: entry.actor,
    subject: entry.subject ?? null,
    address: entry.address ?? null,
    requestId: entry.requestId ?? null,
    occurrences: 1,
    detail: { ...entry.detail },
  };
}
