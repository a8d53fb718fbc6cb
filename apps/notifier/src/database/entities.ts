import { DeliveryEntity } from '../delivery/delivery.entity.js';
import { OrganizationEntity } from '../identity/organization.entity.js';
import { PersonEntity } from '../identity/person.entity.js';
import { SiteEntity } from '../identity/site.entity.js';
import { InboxMessageEntity } from '../inbox/inbox-message.entity.js';

/** Tables of the schema `notifier`; `dead_letters` belongs to libs/outbox. */
export const entities = [PersonEntity, OrganizationEntity, SiteEntity, InboxMessageEntity, DeliveryEntity];
