import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { ReceivedPush } from '../src/inventory/apply-inventories.service.js';

export interface PushOptions {
  readonly site?: number;
  readonly pushId?: string;
  readonly epoch?: number | null;
  readonly sequence: number;
  readonly complete?: boolean;
  readonly collectedAt?: string;
  readonly receivedAt?: string;
  readonly reportedHash?: string | null;
  /** Versions by module; `drupal` is core. */
  readonly modules?: Readonly<Record<string, string | null>>;
  /** Instead of `modules`: members of the body as they are. */
  readonly members?: object;
  /** Instead of all: the body's bytes. */
  readonly body?: Buffer;
  readonly gzip?: boolean;
}

export const siteUuid = (site: number): string => `00000000-0000-4000-8000-${String(site).padStart(12, '0')}`;

/** A push as the consumer hands it to the service. */
export function push(options: PushOptions): ReceivedPush {
  const site = options.site ?? 1;
  const collectedAt = options.collectedAt ?? '2026-05-20T17:00:00.000Z';
  const json = JSON.stringify({
    site_uuid: siteUuid(site),
    collected_at: collectedAt,
    sequence: options.sequence,
    ...(options.members ?? {
      modules: Object.entries(options.modules ?? {}).map(([project, version]) => ({
        project,
        version,
        status: 'enabled',
      })),
    }),
  });
  return {
    kind: 'full',
    pushId: options.pushId ?? randomUUID(),
    siteId: site,
    siteUuid: siteUuid(site),
    organizationId: 7,
    epoch: options.epoch === undefined ? 1 : options.epoch,
    sequence: options.sequence,
    complete: options.complete ?? true,
    collectedAt: Date.parse(collectedAt),
    receivedAt: Date.parse(options.receivedAt ?? '2026-05-20T17:00:01.000Z'),
    reportedHash: options.reportedHash ?? null,
    messageId: randomUUID(),
    correlationId: randomUUID(),
    contentEncoding: options.gzip ? 'gzip' : 'identity',
    body: options.body ?? (options.gzip ? gzipSync(json) : Buffer.from(json)),
  };
}

export function heartbeat(options: PushOptions & { readonly reportedHash: string }): ReceivedPush {
  return { ...push({ ...options, members: { inventory_hash: options.reportedHash } }), kind: 'heartbeat' };
}
