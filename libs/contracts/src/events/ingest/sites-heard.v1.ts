import Type from 'typebox';
import { defineEvent } from '../../event-definition.js';
import { Instant, InternalId } from '../../primitives.js';
import { QUEUES } from '../../queues.js';

/** Sites that were heard from in one batch, changed or not: at most one entry a site. The greatest time wins. */
export const SitesHeard = Type.Object({
  sites: Type.Array(
    Type.Object({
      site_id: InternalId,
      organization_id: InternalId,
      /** When the gateway received the last push. */
      heard_at: Instant,
      /** Up to when the site's inventory is known to stand unchanged (the last push's observation). */
      observed_at: Instant,
      /** false: the last inventory was partial, so absence says nothing. */
      complete: Type.Boolean(),
    }),
  ),
});
export type SitesHeard = Type.Static<typeof SitesHeard>;

export const sitesHeard = defineEvent({
  type: 'ingest.sites-heard',
  version: 1,
  schema: SitesHeard,
  queues: [QUEUES.reportingInventory],
});
