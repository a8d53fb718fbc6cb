import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { Clock, Logger } from '#libs/runtime';
import { ProblemError } from '../http/problem.js';
import { CLOCK, LOGGER } from '../tokens.js';
import { IdempotentRequestRepository } from './idempotent-request.repository.js';
import { hashOfBody, hashOfName, openAnswer, sealAnswer } from './sealed-answer.js';
import type { KeptAnswer, RequestName } from './sealed-answer.js';

/** The pepper: what seals answers is made of it. */
export class AnswerPepper {
  constructor(readonly text: string) {}
}

const KEPT_MS = 24 * 3600_000;
/** No request lasts longer; one without an answer after that has died with its gateway. */
const LONGEST_MS = 90_000;
const SWEEP_EVERY_MS = 10 * 60_000;

/** Does each request that comes under an Idempotency-Key once, and gives its answer again for 24 hours. */
@Injectable()
export class IdempotentRequests implements OnApplicationShutdown {
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly requests: IdempotentRequestRepository,
    private readonly pepper: AnswerPepper,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.timer = setInterval(() => void this.sweep(), SWEEP_EVERY_MS);
    this.timer.unref();
  }

  /**
   * @returns the answer that was given; null: it is to be done now, and then `keep` or `forget` is called
   * @throws ProblemError `idempotency_key_reused`, `idempotent_request_running`, `idempotent_request_lost`
   */
  async begin(name: RequestName, body: unknown): Promise<KeptAnswer | null> {
    const now = this.clock.now();
    const bodyHash = hashOfBody(body);
    const before = await this.requests.begin(hashOfName(name), bodyHash, now, new Date(now.getTime() - KEPT_MS));
    if (before === null) return null;
    if (!before.bodyHash.equals(bodyHash))
      throw new ProblemError('idempotency_key_reused', 'This key was sent with another body. Take a new key.');
    if (before.answer !== null) return openAnswer(this.pepper.text, name, before.answer);
    if (now.getTime() - before.startedAt.getTime() < LONGEST_MS)
      throw new ProblemError(
        'idempotent_request_running',
        'The first request with this key is still being worked on.',
        {
          retryAfterSeconds: 2,
        },
      );
    throw new ProblemError(
      'idempotent_request_lost',
      'The first request with this key was interrupted. Look whether it was done; if not, repeat it with a new key.',
    );
  }

  async keep(name: RequestName, answer: KeptAnswer): Promise<void> {
    await this.requests.keep(hashOfName(name), answer.status, sealAnswer(this.pepper.text, name, answer));
  }

  async forget(name: RequestName): Promise<void> {
    await this.requests.forget(hashOfName(name));
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async sweep(): Promise<void> {
    try {
      await this.requests.forgetOld(new Date(this.clock.now().getTime() - KEPT_MS));
    } catch (error) {
      this.logger.warn({ err: error }, 'old idempotency keys cannot be forgotten yet');
    }
  }
}
