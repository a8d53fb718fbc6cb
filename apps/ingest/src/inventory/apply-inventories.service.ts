import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { PoisonMessageError } from '#libs/streams';
import { together, underway } from '../database/together.js';
import { versionChanges, type PatchRun } from '../patch-run/patch-run.js';
import { PatchRunsService } from '../patch-run/patch-runs.service.js';
import { unpackBody, type PushText } from '../push-body/push-text.js';
import { readInventory } from '../push-body/read-inventory.js';
import { ReceiptsService } from '../receipt/receipts.service.js';
import { countSettled, type SettledPushes } from '../receipt/settled-push-metrics.js';
import type { SiteState } from '../site-state/site-state.js';
import { SiteStatesService } from '../site-state/site-states.service.js';
import { AnnounceChangesService } from './announce-changes.service.js';
import { InventoryRepository } from './inventory.repository.js';
import {
  settlePushes,
  type AppliedChange,
  type Push,
  type PushContent,
  type PushFacts,
  type SiteSettlement,
} from './settle-pushes.js';

/** A push as it came from the queue. */
export interface ReceivedPush extends PushFacts {
  readonly kind: 'full' | 'heartbeat';
  readonly messageId: string;
  readonly correlationId: string;
  readonly contentEncoding: 'identity' | 'gzip';
  readonly body: Buffer;
}

export interface Failure {
  readonly push: ReceivedPush;
  readonly code: string;
  readonly detail: string;
}

/** What a batch leaves to do besides its transaction. */
export interface ApplyOutcome {
  /** Pushes that can never be applied, with the reason; their neighbours are not touched by that. */
  readonly failures: readonly Failure[];
  /** What the gateway may know of the sites' inventories once this is committed: site UUID → reported hash or null. */
  readonly knownInventories: ReadonlyMap<string, string | null>;
  readonly settled: SettledPushes;
  afterCommit(): void;
}

/**
 * Applies a batch of pushes in one transaction: receipts, version guard under the sites' locks, current inventories, history,
 * patch runs, events. Set-based: the number of statements does not depend on the number of pushes, and a batch of unchanged
 * inventories touches one narrow row a site (beside the receipt and the audit log).
 *
 *   lock the sites in order of their ids; meanwhile unpack every body alone ─ undecodable → failure
 *   drop push ids that ended before ─ nothing happens for them
 *   site removed → failure `site_removed`
 *   parse, unless it is the very body that brought what stands ─ no inventory → failure
 *   settle each site's pushes by (epoch, sequence) → applied / superseded / duplicate
 *   write
 */
@Injectable()
export class ApplyInventoriesService {
  constructor(
    private readonly states: SiteStatesService,
    private readonly inventories: InventoryRepository,
    private readonly receipts: ReceiptsService,
    private readonly patchRuns: PatchRunsService,
    private readonly announcements: AnnounceChangesService,
  ) {}

  /** @throws what the database throws; then nothing of the batch has happened. */
  async apply(tx: EntityManager, received: readonly ReceivedPush[], now: Date): Promise<ApplyOutcome> {
    // Sent together and run in this order: what ended before is looked up under the locks. The bodies are decoded meanwhile.
    const locking = await underway(together([this.states.lock(tx, received), this.receipts.endedBefore(tx, received)]));
    const texts = new Map(received.map((push) => [push, attempt(() => textOf(push))]));
    const [states, ended] = await locking.done;
    const { sites, failures } = sortOut(received, states, ended);
    // What must be parsed mostly changes something: the inventories it changes are fetched meanwhile.
    const changing = sites.filter(
      (site) => site.state.contentHash !== null && site.pushes.some((push) => mustParse(site, push, texts)),
    );
    const reading = await underway(
      this.inventories.readInventories(
        tx,
        changing.map(({ state }) => state.siteId),
      ),
    );
    const readable = sites.map((site) => {
      const pushes: (Push & ReceivedPush)[] = [];
      for (const push of site.pushes) {
        const content = attempt(() => contentOf(site, push, texts));
        if (content instanceof PoisonMessageError) failures.push({ push, code: content.code, detail: content.message });
        else pushes.push({ ...push, content });
      }
      return { state: site.state, pushes };
    });
    const current = await reading.done;
    const settlements = readable.map(({ state, pushes }) =>
      settlePushes(state, current.get(state.siteId) ?? null, pushes),
    );
    const afterCommit = await this.write(
      tx,
      settlements,
      readable.flatMap(({ pushes }) => pushes),
      now,
    );
    const ends = settlements.flatMap((settlement) => settlement.settled);
    const settled = countSettled(ends, received.length - failures.length);
    return { failures, knownInventories: knownInventories(settlements), settled, afterCommit };
  }

  /**
   * Whether a push has its end. Under the site's lock until `tx` ends: whoever applies it at this moment is waited for, and whoever would
   * later finds what `tx` says of it.
   */
  async hasEnded(tx: EntityManager, push: PushFacts): Promise<boolean> {
    const [, ended] = await together([this.states.lock(tx, [push]), this.receipts.endedBefore(tx, [push])]);
    return ended.has(keyOf(push));
  }

  private async write(
    tx: EntityManager,
    settlements: readonly SiteSettlement[],
    pushes: readonly ReceivedPush[],
    now: Date,
  ): Promise<() => void> {
    const advanced = settlements.filter((settlement) => settlement.advanced).map(({ state }) => state);
    const changes = settlements.flatMap((settlement) => settlement.changes);
    const sent = new Map(pushes.map((push) => [keyOf(push), push]));
    const ended = settlements
      .flatMap(({ settled }) => settled)
      .map(({ push, ...end }) => ({ ...sent.get(keyOf(push))!, ...end }));
    // Independent of each other, so they leave together: two trips to the server instead of eight. The largest first, so that
    // the server works on it while the rest is put together here.
    const saving = await underway(
      together([
        this.inventories.saveChanges(tx, changes),
        this.states.save(tx, advanced),
        this.patchRuns.record(tx, changes.flatMap(patchRunOf)),
      ]),
    );
    const [afterCommit] = await together([
      this.announcements.announce(tx, { changes, heard: advanced, causes: sent }, now),
      this.receipts.record(tx, ended, now),
      saving.done,
    ]);
    return afterCommit;
  }
}

const keyOf = (push: PushFacts): string => `${push.siteId} ${push.pushId}`;

type Texts = ReadonlyMap<ReceivedPush, PushText | PoisonMessageError | null>;

interface SiteBatch {
  readonly state: SiteState;
  /** In order of arrival. */
  readonly pushes: ReceivedPush[];
}

/** By site, without the pushes that ended before and those of removed sites. */
function sortOut(received: readonly ReceivedPush[], states: ReadonlyMap<number, SiteState>, ended: Set<string>) {
  const failures: Failure[] = [];
  const sites = new Map<number, SiteBatch>();
  for (const push of received) {
    if (ended.has(keyOf(push))) continue;
    // Whatever becomes of it: the same push id a second time in this batch changes nothing.
    ended.add(keyOf(push));
    const state = states.get(push.siteId)!;
    if (state.removedAt !== null) {
      failures.push({ push, code: 'site_removed', detail: 'The site was removed before this push was applied.' });
      continue;
    }
    const site = sites.get(push.siteId);
    if (site) site.pushes.push(push);
    else sites.set(push.siteId, { state, pushes: [push] });
  }
  return { sites: [...sites.values()], failures };
}

function textOf(push: ReceivedPush): PushText | null {
  return push.kind === 'heartbeat' ? null : unpackBody(push.body, push.contentEncoding);
}

/** Not a heartbeat, nor the very body that brought what stands. */
function mustParse({ state, pushes }: SiteBatch, push: ReceivedPush, texts: Texts): boolean {
  const text = texts.get(push);
  if (!text || text instanceof PoisonMessageError) return false;
  // Of several pushes of one site, what stands when the later ones are settled is not known yet.
  return !(push.complete && pushes.length === 1 && text.fingerprint === state.fingerprint);
}

/** @throws PoisonMessageError */
function contentOf(site: SiteBatch, push: ReceivedPush, texts: Texts): PushContent {
  const text = texts.get(push)!;
  if (text instanceof PoisonMessageError) throw text;
  if (text === null) return { kind: 'heartbeat' };
  if (!mustParse(site, push, texts)) return { kind: 'current' };
  return { kind: 'inventory', inventory: readInventory(text.text), fingerprint: text.fingerprint };
}

function attempt<T>(read: () => T): T | PoisonMessageError {
  try {
    return read();
  } catch (error) {
    if (error instanceof PoisonMessageError) return error;
    throw error;
  }
}

/** The first inventory of a site shows what is there, not what was patched. */
function patchRunOf(change: AppliedChange): PatchRun[] {
  if (change.first || change.previousObservedAt === null) return [];
  const items = versionChanges(change.differences);
  if (items.length === 0) return [];
  const { push, epoch, observedAt } = change;
  return [
    {
      siteId: push.siteId,
      organizationId: push.organizationId,
      pushId: push.pushId,
      epoch,
      sequence: push.sequence,
      after: change.previousObservedAt,
      observedAt,
      items,
    },
  ];
}

/**
 * A full push says the hash anew; a heartbeat that was not known shows that the gateway believes in a hash that does not stand.
 * An applied heartbeat tells the gateway nothing.
 */
function knownInventories(settlements: readonly SiteSettlement[]): Map<string, string | null> {
  const known = new Map<string, string | null>();
  for (const { settled, state } of settlements) {
    const tells = settled.some(
      ({ push, state: end, reason }) =>
        (push.content.kind !== 'heartbeat' && end === 'applied') || reason === 'unknown_inventory_hash',
    );
    if (tells) known.set(state.siteUuid, state.reportedHash);
  }
  return known;
}
