import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { counter, metrics, systemClock, type Logger } from '#libs/runtime';
import { afterFailure, DEFAULT_RETRY, type RetryPolicy } from './delivery.js';
import { DeliveryRepository, type DueDelivery } from './delivery.repository.js';
import { describeFailure, isRefusal, MAIL_TRANSPORT, type MailTransport } from './mail-transport.js';

export interface SendMailSettings {
  /** How often to look for mails whose time has come, in milliseconds. */
  readonly everyMs: number;
  /** Mails taken in hand at once. */
  readonly batch: number;
  /** How long a mail stays in one sender's hand, in milliseconds; longer than any one sending takes. */
  readonly leaseMs: number;
  readonly retry: RetryPolicy;
}

/** `Logger` of the service. */
export const LOGGER = Symbol('LOGGER');

export const SEND_MAIL_SETTINGS = Symbol('SEND_MAIL_SETTINGS');
export const DEFAULT_SEND_MAIL_SETTINGS: SendMailSettings = {
  everyMs: 10_000,
  batch: 20,
  leaseMs: 15 * 60_000,
  retry: DEFAULT_RETRY,
};

/** Hands the written mails to the mail server, one after the other. Several notifiers share the work. */
@Injectable()
export class SendMailService {
  private readonly outcomes = counter(metrics('notifier'), {
    name: 'patchwatch_mail_deliveries_total',
    help: 'Attempts to hand a mail to the mail server, by outcome.',
    labelNames: ['outcome'],
  });
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> | undefined;
  private again = false;
  private stopping = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly deliveries: DeliveryRepository,
    @Inject(MAIL_TRANSPORT) private readonly transport: MailTransport | null,
    @Inject(SEND_MAIL_SETTINGS) private readonly settings: SendMailSettings,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  start(): void {
    this.nudge();
    this.timer = setInterval(() => this.nudge(), this.settings.everyMs);
    this.timer.unref();
  }

  /** Ends after the mail that is being handed over. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearInterval(this.timer);
    await this.working;
  }

  /** Looks now instead of at the next time; never waits and never throws. */
  nudge(): void {
    if (this.transport === null || this.stopping) return;
    if (this.working !== undefined) {
      this.again = true;
      return;
    }
    this.working = this.work(this.transport)
      .catch((error: unknown) => this.logger.warn({ err: error }, 'cannot look for mails to send'))
      .finally(() => {
        this.working = undefined;
        if (this.again) {
          this.again = false;
          this.nudge();
        }
      });
  }

  private async work(transport: MailTransport): Promise<void> {
    const { batch, leaseMs } = this.settings;
    while (!this.stopping) {
      const now = systemClock.now();
      const due = await this.deliveries.take(this.dataSource.manager, batch, now, new Date(now.getTime() + leaseMs));
      for (const delivery of due) {
        // What is not begun comes back when its lease ends.
        if (this.stopping) return;
        await this.send(transport, delivery);
      }
      if (due.length < batch) return;
    }
  }

  private async send(transport: MailTransport, delivery: DueDelivery): Promise<void> {
    const { deliveryId, email, subject, text, html, headers } = delivery;
    try {
      await transport.send({ to: email, deliveryId, subject, text, html, headers });
    } catch (error) {
      await this.settleFailure(delivery, error);
      return;
    }
    await this.deliveries.markSent(this.dataSource.manager, deliveryId, systemClock.now());
    this.outcomes.inc({ outcome: 'sent' });
  }

  private async settleFailure(delivery: DueDelivery, error: unknown): Promise<void> {
    const now = systemClock.now();
    const next = afterFailure(delivery, isRefusal(error), now, this.settings.retry);
    const reason = describeFailure(error);
    if (next.nextAttemptAt === null)
      await this.deliveries.markDead(this.dataSource.manager, delivery.deliveryId, reason, now);
    else await this.deliveries.markFailed(this.dataSource.manager, delivery.deliveryId, reason, next.nextAttemptAt);
    this.outcomes.inc({ outcome: next.state });
    this.logger.warn(
      { delivery: delivery.deliveryId, attempts: delivery.attempts, state: next.state, reason },
      'mail not sent',
    );
  }
}
