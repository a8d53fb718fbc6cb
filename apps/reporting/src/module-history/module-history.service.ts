import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { ReleaseHistoryDocument } from '#libs/contracts';
import { prepareHistory, type PreparedHistory } from '#libs/drupal';
import { ModuleHistoryRepository } from './module-history.repository.js';
import { newestRelease, recommendedRelease } from './recommended-release.js';

/** A release history, read and worked out. */
export interface ReadHistory {
  readonly document: ReleaseHistoryDocument;
  readonly prepared: PreparedHistory;
}

/** What lists say of a release history. */
export interface HistorySummary {
  readonly recommended: string | null;
  readonly latestReleaseAt: Date | null;
}

/** Which content of which module. */
export interface HistoryKey {
  readonly moduleId: number;
  readonly revision: number;
}

/** Worked-out histories run to megabytes, summaries to bytes. */
const KEPT_HISTORIES = 60;
const KEPT_SUMMARIES = 20_000;
const NOTHING: HistorySummary = { recommended: null, latestReleaseAt: null };

/** Release histories for reading, remembered by revision: a revision never changes. */
@Injectable()
export class ModuleHistoryService {
  private readonly histories = new Map<string, ReadHistory>();
  private readonly summaries = new Map<string, HistorySummary>();

  constructor(private readonly stored: ModuleHistoryRepository) {}

  /** null: upstream has no such project, or has not been heard. */
  async history(tx: EntityManager, key: HistoryKey): Promise<ReadHistory | null> {
    if (key.revision === 0) return null;
    const known = this.histories.get(nameOf(key));
    if (known) {
      remember(this.histories, nameOf(key), known, KEPT_HISTORIES);
      return known;
    }
    const [stored] = await this.stored.histories(tx, [key.moduleId]);
    if (!stored?.history) return null;
    const read = { document: stored.history, prepared: prepareHistory(stored.history) };
    remember(this.histories, nameOf(stored), read, KEPT_HISTORIES);
    return read;
  }

  /** Of many modules, by id. */
  async summarize(tx: EntityManager, keys: readonly HistoryKey[]): Promise<Map<number, HistorySummary>> {
    const absent = keys.filter((key) => key.revision > 0 && !this.summaries.has(nameOf(key)));
    const stored = await this.stored.histories(
      tx,
      absent.map(({ moduleId }) => moduleId),
    );
    for (const { moduleId, revision, history } of stored) {
      remember(this.summaries, nameOf({ moduleId, revision }), summaryOf(history), KEPT_SUMMARIES);
    }
    return new Map(keys.map((key) => [key.moduleId, this.summaries.get(nameOf(key)) ?? NOTHING]));
  }
}

/** null: there is none. */
export function summaryOf(history: ReleaseHistoryDocument | null): HistorySummary {
  if (!history) return NOTHING;
  const prepared = prepareHistory(history);
  return { recommended: recommendedRelease(prepared), latestReleaseAt: newestRelease(prepared) };
}

function nameOf({ moduleId, revision }: HistoryKey): string {
  return `${moduleId} ${revision}`;
}

/** The most recently used stay. */
function remember<T>(memory: Map<string, T>, key: string, value: T, most: number): void {
  memory.delete(key);
  memory.set(key, value);
  for (const oldest of memory.keys()) {
    if (memory.size <= most) break;
    memory.delete(oldest);
  }
}
