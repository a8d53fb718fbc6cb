import { NestFactory } from '@nestjs/core';
import { createDataSource } from '#libs/database';
import { MessagingRuntime } from '#libs/outbox';
import { createLogger, NestLogger, type RunningService, type ServiceConfig } from '#libs/runtime';
import { entities } from './database/entities.js';
import { migrations } from './database/migrations/index.js';
import type { MailTransport } from './delivery/mail-transport.js';
import { openMailer } from './delivery/mailer-transport.js';
import { DEFAULT_SEND_MAIL_SETTINGS, SendMailService, type SendMailSettings } from './delivery/send-mail.service.js';
import { NotifierModule } from './notifier.module.js';

const DEFAULT_FROM = 'Patchwatch <patchwatch@localhost>';

/** What tests replace. */
export interface NotifierOptions {
  readonly openTransport?: (url: string, from: string) => Promise<MailTransport>;
  readonly sending?: SendMailSettings;
}

/**
 * Starts the notifier: database, messages, then the sender of mails. `PATCHWATCH_SMTP_URL` names the mail server (without it mails are
 * written down as suppressed), `PATCHWATCH_MAIL_FROM` the sender's address.
 * @throws when the database or Redis is away, or when a message has no handler; then nothing runs.
 */
export async function startNotifier(config: ServiceConfig, options: NotifierOptions = {}): Promise<RunningService> {
  const logger = createLogger('notifier', { level: config.logLevel });
  const dataSource = createDataSource({
    url: config.databaseUrl,
    schema: 'notifier',
    entities,
    migrations,
    applicationName: 'patchwatch-notifier',
    poolSize: 5,
    onPoolError: (error) => logger.warn({ err: error }, 'an idle database connection failed'),
  });
  const smtpUrl = config.env['PATCHWATCH_SMTP_URL'];
  const from = config.env['PATCHWATCH_MAIL_FROM'] || DEFAULT_FROM;
  const transport = smtpUrl ? await (options.openTransport ?? openMailer)(smtpUrl, from) : null;
  if (transport === null) logger.info('PATCHWATCH_SMTP_URL is not set: mails are written down, but not sent');
  const closers: (() => Promise<unknown>)[] = [
    async () => transport?.close(),
    () => (dataSource.isInitialized ? dataSource.destroy() : Promise.resolve()),
  ];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0)) {
      await close().catch((error: unknown) => logger.error({ err: error }, 'stopping went wrong'));
    }
  };
  try {
    await dataSource.initialize();
    const sending = options.sending ?? DEFAULT_SEND_MAIL_SETTINGS;
    const app = await NestFactory.createApplicationContext(
      NotifierModule.with({ config, dataSource, transport, sending, logger }),
      {
        logger: new NestLogger(logger),
        abortOnError: false,
      },
    );
    closers.unshift(() => app.close());
    const sender = app.get(SendMailService);
    closers.unshift(() => sender.stop());
    const messaging = app.get(MessagingRuntime);
    closers.unshift(() => messaging.stop());
    await messaging.start();
    sender.start();
    return { name: 'notifier', ready: () => messaging.ready(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
