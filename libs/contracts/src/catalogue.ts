import { advisoryChanged } from './events/catalog/advisory-changed.v1.js';
import { customReleasesChanged } from './events/catalog/custom-releases-changed.v1.js';
import { moduleReleasesChanged } from './events/catalog/module-releases-changed.v1.js';
import { accountLetterDue } from './events/gateway/account-letter-due.v1.js';
import { dataErased } from './events/data-erased.v1.js';
import { customModuleChanged } from './events/gateway/custom-module-changed.v1.js';
import { erasureDue } from './events/gateway/erasure-due.v1.js';
import { memberChanged } from './events/gateway/member-changed.v1.js';
import { organizationChanged } from './events/gateway/organization-changed.v1.js';
import { pushReceived } from './events/gateway/push-received.v1.js';
import { siteChanged } from './events/gateway/site-changed.v1.js';
import { inventoryChanged } from './events/ingest/inventory-changed.v1.js';
import { modulesSeen } from './events/ingest/modules-seen.v1.js';
import { sitesHeard } from './events/ingest/sites-heard.v1.js';
import { exposuresChanged } from './events/reporting/exposures-changed.v1.js';
import type { EventDefinition } from './event-definition.js';
import type { QueueDefinition } from './queues.js';

/** Every event of the system. A service proves at start that it handles all that its queues may carry. */
export const EVENTS: readonly EventDefinition[] = [
  organizationChanged,
  memberChanged,
  siteChanged,
  customModuleChanged,
  accountLetterDue,
  erasureDue,
  ...Object.values(dataErased),
  pushReceived,
  inventoryChanged,
  sitesHeard,
  modulesSeen,
  moduleReleasesChanged,
  advisoryChanged,
  customReleasesChanged,
  exposuresChanged,
];

/** The events that `queue` may carry. */
export function eventsOn(queue: QueueDefinition): EventDefinition[] {
  return EVENTS.filter((event) => event.queues.some((candidate) => candidate.name === queue.name));
}
