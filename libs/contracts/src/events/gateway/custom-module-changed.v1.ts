import Type from 'typebox';
import { defineEvent } from '../../event-definition.js';
import { Instant, InternalId, ModuleName, Nullable, Uuid } from '../../primitives.js';
import { QUEUES } from '../../queues.js';

/** A version of a module that an organization publishes itself. */
export const CustomRelease = Type.Object({
  version: Type.String({ minLength: 1, maxLength: 255 }),
  released_at: Instant,
  /** It fixes a hole: versions marked `insecure` should be updated to it. */
  security: Type.Boolean(),
  /** It must not be run any more. */
  insecure: Type.Boolean(),
  /** It gets no fixes any more. */
  unsupported: Type.Boolean(),
  link: Nullable(Type.String({ maxLength: 2048 })),
});
export type CustomRelease = Type.Static<typeof CustomRelease>;

/**
 * A module of an organization's own, which Drupal.org does not know, as the registry has it now, whole. A greater `revision` (of this
 * organization and module) wins, whatever arrives first. Tenant data: it counts for sites of this organization only.
 * A name declared here is not asked for at Drupal.org, unless Drupal.org is already known to have a project of that name.
 */
export const CustomModuleChanged = Type.Object({
  custom_module_uuid: Uuid,
  organization_id: InternalId,
  organization_uuid: Uuid,
  module: ModuleName,
  title: Type.String({ minLength: 1, maxLength: 255 }),
  type: Type.Union([Type.Literal('module'), Type.Literal('theme'), Type.Literal('profile')]),
  link: Nullable(Type.String({ maxLength: 2048 })),
  /** In any order. */
  releases: Type.Array(CustomRelease, { maxItems: 1000 }),
  revision: Type.Integer({ minimum: 1 }),
  changed_at: Instant,
  removed_at: Nullable(Instant),
});
export type CustomModuleChanged = Type.Static<typeof CustomModuleChanged>;

export const customModuleChanged = defineEvent({
  type: 'gateway.custom-module-changed',
  version: 1,
  schema: CustomModuleChanged,
  queues: [QUEUES.catalogModules],
});
