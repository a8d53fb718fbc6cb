import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { asSystem } from '#libs/database';
import { UNIT_OF_WORK } from '#libs/outbox';
import type { Logger } from '#libs/runtime';
import type { UnitOfWork } from '#libs/streams';
import { LOGGER } from '../tokens.js';
import { AuditSealRepository } from './audit-seal.repository.js';
import { sealOf } from './seal-chain.js';

/** The key of the chain. */
export class AuditSealingKey {
  constructor(readonly bytes: Buffer) {}
}

const SEAL_EVERY_MS = 1_000;
/** Lines of one transaction. */
const MOST_AT_ONCE = 1_000;
/** The end of the chain is told in the log after so many lines, for whoever wants to hold a later verification against it. */
const TELL_EVERY_LINES = 1_000;

/**
 * Seals the audit log: gives each new line its place in one chain. Requests do not wait for it: they insert their lines in their own
 * transactions, side by side, and one replica at a time seals what has been committed since (docs/adr).
 */
@Injectable()
export class SealAuditLog implements OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private sealing: Promise<unknown> = Promise.resolve();
  private untold = TELL_EVERY_LINES;

  constructor(
    private readonly seals: AuditSealRepository,
    private readonly key: AuditSealingKey,
    @Inject(UNIT_OF_WORK) private readonly unitOfWork: UnitOfWork<EntityManager>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Begins to seal every second. */
  start(): void {
    this.timer = setInterval(() => void this.sealAll(), SEAL_EVERY_MS);
    this.timer.unref();
  }

  /** Seals all that waits now. Never rejects: what cannot be sealed now waits. */
  sealAll(): Promise<void> {
    const sealed = this.sealing.then(async () => {
      try {
        while ((await this.sealSome()) === MOST_AT_ONCE);
      } catch (error) {
        this.logger.error({ err: error }, 'audit lines cannot be sealed yet');
      }
    });
    this.sealing = sealed;
    return sealed;
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.sealing;
  }

  /** @returns how many */
  private async sealSome(): Promise<number> {
    const done = await asSystem(() =>
      this.unitOfWork.run(async (tx) => {
        if (!(await this.seals.lock(tx))) return null;
        const lines = await this.seals.unsealed(tx, MOST_AT_ONCE);
        if (lines.length === 0) return null;
        let head = await this.seals.head(tx);
        const links = lines.map(({ lineId, text }) => {
          const position = head.position + 1;
          head = { position, seal: sealOf(this.key.bytes, head.seal, { position, lineId, text }) };
          return { ...head, lineId };
        });
        await this.seals.add(tx, links);
        return { count: links.length, head };
      }),
    );
    if (done === null) return 0;
    this.untold += done.count;
    if (this.untold >= TELL_EVERY_LINES) {
      this.untold = 0;
      const { position, seal } = done.head;
      this.logger.info({ position, seal: seal.toString('hex') }, 'the audit log is sealed up to here');
    }
    return done.count;
  }
}
