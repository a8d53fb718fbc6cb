import Type from 'typebox';
import { defineEvent } from '../../event-definition.js';
import {
  Instant,
  InternalId,
  ModuleName,
  ModuleState,
  ModuleType,
  Nullable,
  Uuid,
  VersionString,
} from '../../primitives.js';
import { QUEUES } from '../../queues.js';

/** One fact: from this push on, the site runs this version of this module (or no longer has it: `installed: null`). */
export const ModuleChange = Type.Object({
  module: ModuleName,
  type: ModuleType,
  /** null: the module is gone. Only a complete push can say so. */
  installed: Nullable(
    Type.Object({
      /** null: the site's info file names no version. */
      version: Nullable(VersionString),
      /** Unix seconds of the packaging, as the site reported it; null when it reported none. */
      datestamp: Nullable(Type.Integer()),
      state: ModuleState,
    }),
  ),
  /** What stood there before, for patch runs; null when the module was not there. */
  previous_version: Nullable(VersionString),
});
export type ModuleChange = Type.Static<typeof ModuleChange>;

/**
 * What one applied push changed on one site. The changes are facts ordered by `(epoch, sequence)`: a reader stores them
 * under that key and needs no order of arrival. Sent only when something changed.
 */
export const InventoryChanged = Type.Object({
  site_id: InternalId,
  site_uuid: Uuid,
  organization_id: InternalId,
  push_id: Uuid,
  epoch: Type.Integer({ minimum: 0 }),
  sequence: Type.Integer({ minimum: 0 }),
  /** When the site looked (its clock, never before the previous push's nor after `received_at`). Exposures count from here. */
  observed_at: Instant,
  /** `observed_at` of the push before: the true change lies between the two. null for the first. */
  previous_observed_at: Nullable(Instant),
  received_at: Instant,
  complete: Type.Boolean(),
  /** The site's first inventory: everything in it is new to us, not newly installed. */
  first: Type.Boolean(),
  core_version: Nullable(VersionString),
  php_version: Nullable(Type.String()),
  changes: Type.Array(ModuleChange),
});
export type InventoryChanged = Type.Static<typeof InventoryChanged>;

export const inventoryChanged = defineEvent({
  type: 'ingest.inventory-changed',
  version: 1,
  schema: InventoryChanged,
  queues: [QUEUES.reportingInventory],
});
