import { QUEUES } from '#libs/contracts';
import { erasesData } from '#libs/outbox';

/** This service's part in the erasure of an organization, of sites, or of a person. */
export const EraseDataConsumer = erasesData('reporting', QUEUES.reportingIdentity);
