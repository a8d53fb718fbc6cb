import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { FullPush, PushState } from '#libs/contracts';
import { v5 as uuidv5 } from 'uuid';
import { ApiError, inParallel, type ApiClient } from './api-client.js';
import type { DatedInventory } from './composer-lock.js';
import type { SiteHistory } from './history-source.js';

/** Live pushes belong to epoch 1 or later; history belongs to this one, so that a live push always wins over it. */
export const HISTORY_EPOCH = 0;

/** Namespace of the push ids made here: the same inventory of the same site always gets the same id, so a backfill can be repeated. */
const PUSH_NAMESPACE = '6f0a2f0e-3f0b-5d52-9d0a-0d6f7f2f4c11';

export interface SiteCredentials {
  readonly uuid: string;
  readonly key: string;
}

export interface BackfillTotals {
  sites: number;
  pushes: number;
  states: Record<PushState, number>;
  /** Reasons of pushes that are dead, with the push ids. */
  dead: string[];
}

export interface BackfillProgress {
  /** Pushes that have settled. */
  readonly done: number;
  readonly total: number;
  /** Why requests had to wait since the last call, if they had to. */
  readonly waiting: string | null;
}

/**
 * Pushes histories through the same endpoint as any live site: dated inventories of the history epoch. Sites run side by
 * side; within a site each push waits until the one before has settled. Otherwise an inventory that is delivered late (its
 * worker was killed) would find a newer one applied and be superseded: right for the present, a hole in the history.
 * Returns when every push has settled, and tells how each ended.
 */
export async function backfill(
  client: ApiClient,
  histories: readonly (SiteHistory & { credentials: SiteCredentials })[],
  options: { width?: number; onProgress?: (progress: BackfillProgress) => void } = {},
): Promise<BackfillTotals> {
  const total = histories.reduce((sum, history) => sum + history.inventories.length, 0);
  const totals: BackfillTotals = {
    sites: histories.length,
    pushes: total,
    states: { queued: 0, applied: 0, superseded: 0, duplicate: 0, dead: 0 },
    dead: [],
  };
  let waiting: string | null = null;
  const onWait = (reason: string, seconds: number) => (waiting = `${reason}, again in ${seconds.toFixed(0)} s`);

  let done = 0;
  // The longest histories first: otherwise the last lane is left alone with one of them.
  const byLength = [...histories].sort((a, b) => b.inventories.length - a.inventories.length);
  await inParallel(byLength, options.width ?? 24, async ({ credentials, alias, inventories }) => {
    for (const [index, inventory] of inventories.entries()) {
      const push = toPush(credentials.uuid, alias, inventory, index + 1);
      const { data } = await client.request<{ push_id: string }>('POST', pushPath(credentials.uuid), {
        body: gzipSync(JSON.stringify(push)),
        headers: { 'x-api-key': credentials.key, 'content-type': 'application/json', 'content-encoding': 'gzip' },
        onWait,
      });
      const { state, detail } = await settledState(client, credentials, data.push_id, onWait);
      totals.states[state]++;
      if (state === 'dead') totals.dead.push(`${data.push_id}: ${detail}`);
      options.onProgress?.({ done: ++done, total, waiting });
      waiting = null;
    }
  });
  return totals;
}

/** The push that describes `inventory`, the `sequence`-th of its site's history. */
export function toPush(siteUuid: string, alias: string, inventory: DatedInventory, sequence: number): FullPush {
  const content = {
    core: inventory.coreVersion === null ? {} : { version: inventory.coreVersion },
    modules: [...inventory.modules],
  };
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  return {
    schema: 1,
    agent: { name: 'patchwatch-backfill', version: '1' },
    site_uuid: siteUuid,
    site_name: alias,
    collected_at: inventory.collectedAt,
    trigger: 'manual',
    push_id: uuidv5(`${siteUuid}/${HISTORY_EPOCH}/${sequence}/${inventory.collectedAt}/${hash}`, PUSH_NAMESPACE),
    epoch: HISTORY_EPOCH,
    sequence,
    complete: true,
    inventory_hash: hash,
    ...(inventory.phpVersion === null ? {} : { php: { version: inventory.phpVersion } }),
    ...content,
  };
}

const pushPath = (siteUuid: string) => `/api/v1/sites/${siteUuid}/modules/sync`;

/** Waits until the push is no longer queued. Asks again at a slowing pace; the platform has no other way to tell a script. */
async function settledState(
  client: ApiClient,
  credentials: SiteCredentials,
  pushId: string,
  onWait: (reason: string, seconds: number) => void,
): Promise<{ state: PushState; detail: string }> {
  const deadline = Date.now() + 600_000;
  for (let pause = 5; ; pause = Math.min(1_000, pause * 1.5)) {
    const data = await pushState(client, credentials, pushId, onWait);
    if (data.state !== 'queued') return { state: data.state, detail: data.detail ?? '' };
    if (Date.now() > deadline) return { state: 'queued', detail: 'still queued after 10 minutes' };
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/**
 * What the platform says of an accepted push. It remembers what it has accepted but not yet applied where it may forget (a
 * cache), so until the receipt is written "no such push" means "queued" to whoever was answered 202.
 */
async function pushState(
  client: ApiClient,
  credentials: SiteCredentials,
  pushId: string,
  onWait: (reason: string, seconds: number) => void,
): Promise<{ state: PushState; detail?: string | null }> {
  try {
    const path = `/api/v1/sites/${credentials.uuid}/pushes/${pushId}`;
    const headers = { 'x-api-key': credentials.key };
    return (await client.request<{ state: PushState; detail?: string | null }>('GET', path, { headers, onWait })).data;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return { state: 'queued' };
    throw error;
  }
}
