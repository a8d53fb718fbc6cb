import { hash } from 'node:crypto';
import { pushReceived, QUEUES } from '#libs/contracts';
import type { PushReceivedMeta } from '#libs/contracts';
import { beginTrace, newId } from '#libs/runtime';
import { AdmissionClosedError } from '#libs/streams';
import type { Admission, Envelope, Publisher } from '#libs/streams';
import { ProblemError } from '../http/problem.js';
import type { WatchIdentity } from '../quarantine/watch-identity.service.js';
import type { SiteKey } from '../site-key/site-key-directory.service.js';
import type { AcceptedPushes } from './accepted-pushes.repository.js';
import { Inflater } from './inflate.js';
import type { KnownInventories } from './known-inventories.repository.js';
import { parsePushBody } from './push-body.js';
import { checkPush } from './push-schema.js';

/** A push as it arrived, from a site that has proven who it is. */
export interface ArrivedPush {
  readonly key: SiteKey;
  readonly body: Buffer;
  readonly gzip: boolean;
  readonly requestId: string;
  /** Where it came from. */
  readonly address: string;
  /** W3C trace context of the request; null: it begins with this push, under the id of its message. */
  readonly traceparent: string | null;
}

/** Publishes, and says without cost whether more may come in. */
export interface AdmittingPublisher extends Publisher {
  admission(queue: string): Admission;
}

const LATELY_MS = 3600_000;

const QUEUE = QUEUES.ingestPushes.name;

/**
 * Accepts one push: read, check, one durable append. Nothing is written before the append and nothing that matters after it, so a
 * push is either in the queue or it was refused; a doubtful answer is told as such and the site repeats the same push id.
 */
export class AcceptPush {
  private readonly inflater = new Inflater();
  /** When this replica last accepted something of a site, by its id; milliseconds since the epoch. */
  private readonly heard = new Map<number, number>();

  constructor(
    private readonly publisher: AdmittingPublisher,
    private readonly inventories: KnownInventories,
    private readonly accepted: AcceptedPushes,
    private readonly identities: WatchIdentity,
  ) {}

  /**
   * @returns the push id, once the push is on disk.
   * @throws ProblemError for a push that is wrong; DoubtfulPublishError, AdmissionClosedError when the queue cannot take it.
   */
  async accept(push: ArrivedPush): Promise<string> {
    const inflated = push.gzip ? this.inflater.inflate(push.body) : push.body;
    const text = inflated instanceof Buffer ? inflated : await inflated;
    const { siteId, siteUuid, organizationId } = push.key;
    const checked = checkPush(parsePushBody(text), siteUuid, text.length);
    if (!this.identities.isItself(push.key, checked)) await this.identities.mustBeItself(push, checked);
    if (checked.kind === 'heartbeat') {
      if ((await this.inventories.isKnown(siteUuid, checked.inventoryHash!)) === false) {
        throw new ProblemError(
          'inventory_hash_unknown',
          'This inventory is not known here: send it in full, with its hash.',
        );
      }
    } else {
      // Heartbeats keep a site from looking silent and cost next to nothing: only inventories are sent away early.
      this.admit(siteId);
    }
    const id = newId();
    const pushId = checked.pushId ?? id;
    const receivedAt = new Date().toISOString();
    const meta: PushReceivedMeta = {
      push_id: pushId,
      site_id: siteId,
      site_uuid: siteUuid,
      organization_id: organizationId,
      kind: checked.kind,
      epoch: checked.epoch,
      sequence: checked.sequence,
      complete: checked.complete,
      collected_at: checked.collectedAt,
      received_at: receivedAt,
      inventory_hash: checked.inventoryHash,
    };
    const envelope: Envelope = {
      id,
      type: pushReceived.type,
      version: pushReceived.version,
      organizationId,
      key: siteUuid,
      occurredAt: receivedAt,
      correlationId: push.requestId,
      causationId: null,
      traceparent: push.traceparent ?? beginTrace(id),
      contentHash: hash('sha256', push.body),
      contentEncoding: push.gzip ? 'gzip' : 'identity',
      meta,
      body: push.body,
    };
    await this.publisher.publish(QUEUE, [envelope]);
    this.accepted.note(pushId, siteId);
    this.heard.set(siteId, Date.now());
    return pushId;
  }

  /** A queue that is getting long: whoever was heard from lately can wait, whoever was silent may speak. */
  private admit(siteId: number): void {
    const { level, retryAfterSeconds, reason } = this.publisher.admission(QUEUE);
    if (level === 'open') return;
    if (level === 'soft' && Date.now() - (this.heard.get(siteId) ?? 0) > LATELY_MS) return;
    throw new AdmissionClosedError(level, retryAfterSeconds, reason);
  }
}
