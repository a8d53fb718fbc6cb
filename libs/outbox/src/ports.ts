import type { EntityManager } from 'typeorm';
import type { EventBody, EventDefinition } from '#libs/contracts';

/** One event to be sent when, and only when, the surrounding transaction commits. */
export interface OutgoingEvent<D extends EventDefinition = EventDefinition> {
  readonly event: D;
  readonly organizationId: number | null;
  /** Partition key (site UUID, module name, organization UUID). Rows of one key are relayed in the order written. */
  readonly key: string;
  readonly body: EventBody<D>;
  readonly occurredAt?: Date;
  /** Id of the message or request that caused it. Default: of the message being handled, as far as it can be told. */
  readonly causationId?: string | null;
  readonly correlationId?: string;
}

export interface Outbox {
  /** Writes one row per event and subscriber queue in `tx`, set-based. */
  add(tx: EntityManager, events: readonly OutgoingEvent[]): Promise<void>;
}
