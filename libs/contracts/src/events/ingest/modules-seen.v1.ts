import Type from 'typebox';
import { defineEvent } from '../../event-definition.js';
import { ModuleName, ModuleType } from '../../primitives.js';
import { QUEUES } from '../../queues.js';

/** Modules that no site had reported before. Sent once a module; seeing one again is harmless. */
export const ModulesSeen = Type.Object({
  modules: Type.Array(Type.Object({ module: ModuleName, type: ModuleType })),
});
export type ModulesSeen = Type.Static<typeof ModulesSeen>;

export const modulesSeen = defineEvent({
  type: 'ingest.modules-seen',
  version: 1,
  schema: ModulesSeen,
  queues: [QUEUES.catalogModules],
});
