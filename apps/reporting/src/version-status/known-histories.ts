import { LRUCache } from 'lru-cache';
import type { ModuleReleasesChanged } from '#libs/contracts';
import { prepareHistory, type PreparedHistory } from '#libs/drupal';
import type { KnownHistory } from './version-judgement.js';

/** How many worked-out histories are kept between batches: enough that a fleet's every-day modules stay. */
const KEPT_HISTORIES = 200;

/** A module's history as it is stored, without its releases. `revision` 0: it has not arrived. */
export interface StoredHistory {
  readonly moduleId: number;
  readonly module: string;
  readonly revision: number;
  readonly knownAt: Date | null;
}

type Documents = ReadonlyMap<number, ModuleReleasesChanged['history']>;

/**
 * Working a history out of its document takes much longer than finding it again: those of the same revision come from memory, and the most recently
 * used stay.
 */
export class KnownHistories {
  /** By module and revision. One that is rolled back may leave an entry: its number comes again with the same content. */
  private readonly prepared: LRUCache<string, { readonly history: PreparedHistory | null }>;

  constructor(most = KEPT_HISTORIES) {
    this.prepared = new LRUCache({ max: most });
  }

  /**
   * @param stored what stands of the modules
   * @param read documents of modules, by id; called once, with those that are not kept
   * @returns the histories of all, by module
   */
  async get(
    stored: readonly StoredHistory[],
    read: (moduleIds: readonly number[]) => Promise<Documents>,
  ): Promise<Map<number, KnownHistory>> {
    const arrived = stored.filter(({ revision }) => revision > 0);
    // Held here before anything is waited for: meanwhile other batches push out what this one needs.
    const held = new Map(arrived.map((one) => [one, this.prepared.get(keyOf(one))]));
    const absent = arrived.filter((one) => held.get(one) === undefined);
    const documents = await read(absent.map(({ moduleId }) => moduleId));
    for (const one of absent) {
      const document = documents.get(one.moduleId);
      const worked = { history: document ? prepareHistory(document) : null };
      held.set(one, worked);
      this.prepared.set(keyOf(one), worked);
    }
    return new Map(
      stored.map((one) => [
        one.moduleId,
        {
          module: one.module,
          arrived: one.revision > 0,
          history: held.get(one)?.history ?? null,
          knownAt: one.knownAt,
        },
      ]),
    );
  }
}

function keyOf({ moduleId, revision }: StoredHistory): string {
  return `${moduleId} ${revision}`;
}
