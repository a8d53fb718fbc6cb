import type { SiteState } from '../site-state/site-state.js';
import { diffInventories, type ModuleDifference } from './inventory-diff.js';
import { Inventory } from './inventory.js';

/** The facts of an accepted push. Instants are milliseconds since 1970. */
export interface PushFacts {
  readonly pushId: string;
  readonly siteId: number;
  readonly siteUuid: string;
  readonly organizationId: number;
  /** null: the push named none. */
  readonly epoch: number | null;
  readonly sequence: number;
  readonly complete: boolean;
  /** By the site's clock, which may be anything; NaN when it is no time at all. */
  readonly collectedAt: number;
  readonly receivedAt: number;
  /** The site's own name of its inventory; opaque. */
  readonly reportedHash: string | null;
}

/** What a push carried: an inventory; the very body that brought the current one; or, as a heartbeat, nothing but a hash. */
export type PushContent =
  | { readonly kind: 'inventory'; readonly inventory: Inventory; readonly fingerprint: string }
  | { readonly kind: 'current' }
  | { readonly kind: 'heartbeat' };

/** A push with what it carried. `current` is only for a site's single push of a batch. */
export interface Push extends PushFacts {
  readonly content: PushContent;
}

export type SettledState = 'applied' | 'superseded' | 'duplicate';
export type SettledReason =
  | 'changed'
  | 'unchanged'
  | 'already_applied'
  | 'older_than_current'
  | 'same_sequence_other_content'
  | 'unknown_inventory_hash';

/** How one push ended. */
export interface SettledPush {
  readonly push: Push;
  readonly epoch: number;
  readonly state: SettledState;
  readonly reason: SettledReason;
  /** For people; null where the reason says it all. */
  readonly detail: string | null;
  readonly changes: number;
}

/** One push that changed what stands. */
export interface AppliedChange {
  readonly push: Push;
  readonly epoch: number;
  readonly observedAt: number;
  readonly previousObservedAt: number | null;
  readonly first: boolean;
  readonly before: Inventory;
  readonly after: Inventory;
  readonly differences: readonly ModuleDifference[];
}

export interface SiteSettlement {
  /** In order of (epoch, sequence). One for every push given. */
  readonly settled: readonly SettledPush[];
  /** In increasing order. */
  readonly changes: readonly AppliedChange[];
  readonly state: SiteState;
  /** Whether at least one push was applied. */
  readonly advanced: boolean;
}

/** Loaded history belongs to epoch 0; a live push is always newer. */
const FIRST_LIVE_EPOCH = 1;

/** No site's clock is right that says earlier: Drupal did not exist. */
const EARLIEST_OBSERVATION = Date.UTC(2001, 0, 15);

/** Whether settling may need the site's current inventory (else its hash is enough). */
export function needsInventory(state: SiteState, pushes: readonly Push[]): boolean {
  if (state.contentHash === null) return false;
  return pushes.some(
    ({ content, complete }) =>
      content.kind === 'inventory' && (!complete || content.inventory.hash !== state.contentHash),
  );
}

/**
 * Settles one site's pushes of one batch. Neither arrival nor clocks decide, but `(epoch, sequence)`: a push greater than
 * what stands is applied, an older one superseded. See ARCHITECTURE.md, rules 2 to 5.
 * @param state under lock, of a site that is not removed.
 * @param current the site's inventory; needed when `needsInventory` says so.
 * @param pushes in order of arrival; push ids are unique and never settled before.
 */
export function settlePushes(state: SiteState, current: Inventory | null, pushes: readonly Push[]): SiteSettlement {
  if (current === null && needsInventory(state, pushes))
    throw new Error(`The inventory of site ${state.siteId} was not given.`);
  const settled: SettledPush[] = [];
  const changes: AppliedChange[] = [];
  const start = state;
  let standing = current;
  for (const { push, epoch } of inOrder(state, pushes)) {
    const order = compareWithCurrent(state, epoch, push.sequence);
    const end = (outcome: SettledState, reason: SettledReason, detail: string | null, count = 0): void => {
      settled.push({ push, epoch, state: outcome, reason, detail, changes: count });
    };
    if (order < 0) {
      end(
        'superseded',
        'older_than_current',
        `The site's current push is ${name(state.epoch, state.sequence)}; this one is ${name(epoch, push.sequence)}.`,
      );
      continue;
    }
    const target = targetOf(push, standing);
    const same = isSame(state, push, target);
    if (order === 0) {
      if (same) end('duplicate', 'already_applied', null);
      else
        end(
          'superseded',
          'same_sequence_other_content',
          `Another content came first as ${name(epoch, push.sequence)}.`,
        );
      continue;
    }
    if (push.content.kind === 'heartbeat' && !same) {
      end('superseded', 'unknown_inventory_hash', 'The heartbeat names an inventory that is not the current one.');
      continue;
    }
    const observedAt = observation(state, push);
    if (target === null || same) {
      end('applied', 'unchanged', null);
    } else {
      const before = standing ?? Inventory.EMPTY;
      const differences = diffInventories(before, target);
      changes.push({
        push,
        epoch,
        observedAt,
        previousObservedAt: state.observedAt,
        first: state.contentHash === null,
        before,
        after: target,
        differences,
      });
      standing = target;
      end('applied', 'changed', null, differences.length);
    }
    state = advance(state, push, epoch, observedAt, target);
  }
  return { settled, changes, state, advanced: state !== start };
}

/** A push without an epoch belongs to the greatest live epoch that was there when it arrived. */
function inOrder(state: SiteState, pushes: readonly Push[]): { push: Push; epoch: number }[] {
  let live = Math.max(state.epoch ?? FIRST_LIVE_EPOCH, FIRST_LIVE_EPOCH);
  const resolved = pushes.map((push) => {
    const epoch = push.epoch ?? live;
    live = Math.max(live, epoch);
    return { push, epoch };
  });
  // Array.prototype.sort is stable: of equal pairs the one that arrived first is applied.
  return resolved.sort((a, b) => a.epoch - b.epoch || a.push.sequence - b.push.sequence);
}

function compareWithCurrent(state: SiteState, epoch: number, sequence: number): number {
  if (state.epoch === null || state.sequence === null) return 1;
  return epoch - state.epoch || sequence - state.sequence;
}

/** What stands when the push is applied; null: what stands now. */
function targetOf({ content, complete }: Push, standing: Inventory | null): Inventory | null {
  if (content.kind !== 'inventory') return null;
  if (complete || standing === null) return content.inventory;
  return standing.updatedBy(content.inventory);
}

function isSame(state: SiteState, { content, reportedHash }: Push, target: Inventory | null): boolean {
  if (target !== null) return target.hash === state.contentHash;
  return content.kind === 'current' || (state.reportedHash !== null && state.reportedHash === reportedHash);
}

/** When the site looked: its clock, but never after we heard it nor before it looked the last time. */
function observation(state: SiteState, push: PushFacts): number {
  const claimed = Number.isNaN(push.collectedAt) ? push.receivedAt : push.collectedAt;
  const bounded = Math.min(Math.max(claimed, EARLIEST_OBSERVATION), push.receivedAt);
  return Math.max(bounded, state.observedAt ?? bounded);
}

function advance(state: SiteState, push: Push, epoch: number, observedAt: number, target: Inventory | null): SiteState {
  const common = {
    ...state,
    organizationId: push.organizationId,
    epoch,
    sequence: push.sequence,
    observedAt,
    receivedAt: Math.max(push.receivedAt, state.receivedAt ?? push.receivedAt),
  };
  const { content, reportedHash, complete } = push;
  if (content.kind === 'heartbeat') return common;
  if (content.kind === 'current' || target === null) return { ...common, reportedHash, complete };
  return {
    ...common,
    reportedHash,
    complete,
    contentHash: target.hash,
    // What stands after a partial push is more than its body says.
    fingerprint: complete ? content.fingerprint : null,
    coreVersion: target.coreVersion,
    phpVersion: target.phpVersion,
  };
}

const name = (epoch: number | null, sequence: number | null): string => `epoch ${epoch}, sequence ${sequence}`;
