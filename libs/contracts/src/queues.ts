/**
 * Every queue of the system: one per (purpose, subscriber). A queue is one Redis stream per partition with exactly one
 * consumer group; the stream entry is deleted with its acknowledgement, so the length of the stream is the backlog.
 * The name says `<subscriber>.<purpose>`.
 */
export const QUEUES = {
  /** Pushes accepted by the gateway, to be applied to the inventory. Key: site UUID. */
  ingestPushes: { name: 'ingest.pushes', subscriber: 'ingest', partitioned: true },
  /** Changes of the site registry (a removed site ends its inventory). Key: site UUID. */
  ingestSites: { name: 'ingest.sites', subscriber: 'ingest', partitioned: false },
  /** Projects that some site runs and that the catalog must follow. */
  catalogModules: { name: 'catalog.modules', subscriber: 'catalog', partitioned: false },
  /** Inventory facts for the read models. Key: site UUID. */
  reportingInventory: { name: 'reporting.inventory', subscriber: 'reporting', partitioned: true },
  /** Release and advisory facts. Key: module name. */
  reportingCatalog: { name: 'reporting.catalog', subscriber: 'reporting', partitioned: false },
  /** Identity facts: organizations and sites. */
  reportingIdentity: { name: 'reporting.identity', subscriber: 'reporting', partitioned: false },
  /** Exposures opened and closed, for people. Key: organization UUID. */
  notifierExposures: { name: 'notifier.exposures', subscriber: 'notifier', partitioned: false },
  /** Identity facts that decide who is told (organizations, sites, users), and letters about accounts. */
  notifierIdentity: { name: 'notifier.identity', subscriber: 'notifier', partitioned: false },
  /** What the other services erased of a tenant or a person. Key: the erasure's UUID. */
  gatewayErasures: { name: 'gateway.erasures', subscriber: 'gateway', partitioned: false },
} as const satisfies Record<string, QueueDefinition>;

export interface QueueDefinition {
  readonly name: string;
  readonly subscriber: ServiceName;
  /** A partitioned queue is spread over `PATCHWATCH_PARTITIONS` streams by a hash of the message key. */
  readonly partitioned: boolean;
}

export const SERVICES = ['gateway', 'ingest', 'catalog', 'reporting', 'notifier'] as const;
export type ServiceName = (typeof SERVICES)[number];
