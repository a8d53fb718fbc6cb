import { customModuleChanged } from '#libs/contracts';
import type { OutgoingEvent } from '#libs/outbox';
import type { OwnModule } from './own-module.entity.js';

/** The module as others shall know it now. */
export function ownModuleFact(
  own: OwnModule,
  organizationUuid: string,
  correlationId: string,
): OutgoingEvent<typeof customModuleChanged> {
  return {
    event: customModuleChanged,
    organizationId: own.organizationId,
    key: own.module,
    correlationId,
    body: {
      custom_module_uuid: own.uuid,
      organization_id: own.organizationId,
      organization_uuid: organizationUuid,
      module: own.module,
      title: own.title,
      type: own.type,
      link: own.link,
      releases: own.releases,
      revision: own.revision,
      changed_at: own.changedAt.toISOString(),
      removed_at: own.removedAt?.toISOString() ?? null,
    },
  };
}
