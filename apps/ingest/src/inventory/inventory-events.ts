import type { InventoryChanged, ModuleChange, SitesHeard } from '#libs/contracts';
import type { SiteState } from '../site-state/site-state.js';
import type { ModuleDifference } from './inventory-diff.js';
import type { InstalledModule } from './inventory.js';
import type { PushFacts } from './settle-pushes.js';

/** What an applied push was and what it changed, as far as others hear of it. */
export interface ChangeFacts {
  readonly push: Pick<
    PushFacts,
    'siteId' | 'siteUuid' | 'organizationId' | 'pushId' | 'sequence' | 'receivedAt' | 'complete'
  >;
  readonly epoch: number;
  readonly observedAt: number;
  readonly previousObservedAt: number | null;
  readonly first: boolean;
  readonly after: { readonly coreVersion: string | null; readonly phpVersion: string | null };
  readonly differences: readonly ModuleDifference[];
}

/**
 * What others hear of one applied push. The site's own code is left out, because a fact names a Drupal.org project, and own code
 * may bear the name of one; a module that becomes own code is gone as a project.
 */
export function inventoryChangedBody(change: ChangeFacts): InventoryChanged {
  const { push, after } = change;
  return {
    site_id: push.siteId,
    site_uuid: push.siteUuid,
    organization_id: push.organizationId,
    push_id: push.pushId,
    epoch: change.epoch,
    sequence: push.sequence,
    observed_at: iso(change.observedAt),
    previous_observed_at: change.previousObservedAt === null ? null : iso(change.previousObservedAt),
    received_at: iso(push.receivedAt),
    complete: push.complete,
    first: change.first,
    core_version: after.coreVersion,
    php_version: after.phpVersion,
    changes: moduleChanges(change.differences),
  };
}

function moduleChanges(differences: readonly ModuleDifference[]): ModuleChange[] {
  const changes: ModuleChange[] = [];
  for (const { module, before, after } of differences) {
    const was = project(before);
    const is = project(after);
    const known = is ?? was;
    if (known === null) continue;
    changes.push({
      module,
      type: known.type,
      installed: is === null ? null : { version: is.version, datestamp: is.datestamp, state: is.state },
      previous_version: was?.version ?? null,
    });
  }
  return changes;
}

const project = (item: InstalledModule | null): InstalledModule | null => (item === null || item.custom ? null : item);

/** @param states of sites to which at least one push was applied. */
export function sitesHeardBody(states: readonly SiteState[]): SitesHeard {
  return {
    sites: states.map((state) => ({
      site_id: state.siteId,
      organization_id: state.organizationId,
      heard_at: iso(state.receivedAt!),
      observed_at: iso(state.observedAt!),
      complete: state.complete ?? false,
    })),
  };
}

/** The Drupal.org projects among what the changes brought, as they come: a name may come several times. */
export function* projectsIn(changes: readonly Pick<ChangeFacts, 'differences'>[]): Generator<InstalledModule> {
  for (const { differences } of changes) {
    for (const { before, after } of differences) {
      // Only a name that was not there before, or was own code, can be new to the platform.
      if (after !== null && !after.custom && (before === null || before.custom)) yield after;
    }
  }
}

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
