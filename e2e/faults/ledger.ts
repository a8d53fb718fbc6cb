import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What a scenario's clients were told, as files: an id is written before it is counted, so that the books of a harness that dies
 * itself are right, too. `accepted`: the client saw 202. `doubtful`: it saw no answer, or one that leaves open what became of the push.
 */
export class Ledger {
  private readonly files: Record<'accepted' | 'doubtful', { path: string; descriptor: number }>;
  private readonly seen = { accepted: new Set<string>(), doubtful: new Set<string>() };

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    const open = (name: string) => {
      const path = join(folder, `${name}.txt`);
      return { path, descriptor: openSync(path, 'w') };
    };
    this.files = { accepted: open('accepted'), doubtful: open('doubtful') };
  }

  accept(pushId: string): void {
    this.note('accepted', pushId);
  }

  doubt(pushId: string): void {
    this.note('doubtful', pushId);
  }

  /** Different push ids that were accepted so far. */
  get accepted(): number {
    return this.seen.accepted.size;
  }

  get doubtful(): number {
    return this.seen.doubtful.size;
  }

  hasAccepted(pushId: string): boolean {
    return this.seen.accepted.has(pushId);
  }

  /** The ids as the file has them. */
  read(which: 'accepted' | 'doubtful'): string[] {
    return readFileSync(this.files[which].path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  }

  close(): void {
    closeSync(this.files.accepted.descriptor);
    closeSync(this.files.doubtful.descriptor);
  }

  private note(which: 'accepted' | 'doubtful', pushId: string): void {
    if (this.seen[which].has(pushId)) return;
    writeSync(this.files[which].descriptor, `${pushId}\n`);
    this.seen[which].add(pushId);
  }
}
