import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { erasureDue, type ErasureSubject } from '#libs/contracts';
import { OUTBOX, UNIT_OF_WORK } from '#libs/outbox';
import type { Outbox } from '#libs/outbox';
import { newId } from '#libs/runtime';
import type { Clock } from '#libs/runtime';
import type { UnitOfWork } from '#libs/streams';
import { AuditLog } from '../audit/audit-log.service.js';
import { CLOCK } from '../tokens.js';
import { withOwn } from './erasure-round.js';
import type { Erasure, ErasureCause } from './erasure.entity.js';
import { hashOf, receiptOf } from './erasure-receipt.js';
import { ErasureRepository } from './erasure.repository.js';

/** A service that has not answered for so long is asked again: what it erased in between it does not find again. */
const ASK_AGAIN_MS = 10 * 60_000;

export interface NewErasure {
  readonly subject: ErasureSubject;
  readonly subjectUuids: string[];
  readonly cause: ErasureCause;
  readonly requestedBy: string | null;
}

/** Who wants it, for the audit log. */
export interface Wish {
  readonly actor: string;
  readonly address: string | null;
  readonly requestId: string | null;
}

/** Where erasures are written and told, in one transaction with the gateway's own part and the audit line. */
@Injectable()
export class ErasureChanges {
  constructor(
    private readonly erasures: ErasureRepository,
    @Inject(UNIT_OF_WORK) readonly unitOfWork: UnitOfWork<EntityManager>,
    @Inject(OUTBOX) private readonly outbox: Outbox,
    private readonly audit: AuditLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  now(): Date {
    return this.clock.now();
  }

  /** The gateway's own rows go now; the others are told. */
  async begin(tx: EntityManager, { subject, ...wanted }: NewErasure, wish: Wish): Promise<Erasure> {
    const now = this.now();
    const erased = await this.erasures.erase(tx, subject);
    const erasure = await this.erasures.add(tx, {
      ...wanted,
      uuid: newId(),
      kind: subject.kind,
      subject,
      requestedAt: now,
      round: 1,
      nextRoundAt: new Date(now.getTime() + ASK_AGAIN_MS),
      parts: withOwn({}, 1, erased),
      finishedAt: null,
      receipt: null,
    });
    await this.tell(tx, erasure);
    await this.note(tx, erasure, 'erasure.begun', wish, { kind: erasure.kind, cause: erasure.cause });
    return erasure;
  }

  /**
   * Asks the services for another round, or for this one again, and looks at what the gateway has itself: a request that had read who she is may have
   * written after the first look. Not by her address: it may be somebody else's by now, who was invited after she left.
   */
  async ask(tx: EntityManager, erasure: Erasure, round: number): Promise<void> {
    const nextRoundAt = new Date(this.now().getTime() + ASK_AGAIN_MS);
    const late = await this.erasures.erase(tx, { ...erasure.subject!, email: null });
    const parts = withOwn(erasure.parts, round, late);
    await this.tell(tx, await this.erasures.save(tx, { ...erasure, round, nextRoundAt, parts }));
  }

  /** Writes what was heard, and when the next round is due. */
  async wait(tx: EntityManager, erasure: Erasure, forMs: number | null): Promise<void> {
    const nextRoundAt = forMs === null ? erasure.nextRoundAt : new Date(this.now().getTime() + forMs);
    await this.erasures.save(tx, { ...erasure, nextRoundAt });
  }

  /** Nothing is left: what was needed to find it goes, too, and the receipt is written. */
  async finish(tx: EntityManager, erasure: Erasure): Promise<void> {
    const finishedAt = this.now();
    const receipt = receiptOf(erasure, finishedAt);
    await this.erasures.save(tx, { ...erasure, subject: null, finishedAt, receipt });
    const wish = { actor: 'platform', address: null, requestId: null };
    await this.note(tx, erasure, 'erasure.finished', wish, { receipt_sha256: hashOf(receipt) });
  }

  private async tell(tx: EntityManager, { uuid, round, subject }: Erasure): Promise<void> {
    await this.outbox.add(tx, [
      {
        event: erasureDue,
        organizationId: null,
        key: uuid,
        body: { erasure_id: uuid, round, subject: subject! },
      },
    ]);
  }

  private async note(
    tx: EntityManager,
    { uuid, subjectUuids }: Erasure,
    action: string,
    wish: Wish,
    detail: Record<string, unknown>,
  ): Promise<void> {
    await this.audit.record(tx, {
      action,
      ...wish,
      subject: `erasure:${uuid}`,
      detail: { subjects: subjectUuids.slice(0, 20), ...detail },
    });
  }
}
