import { exportData } from '#libs/contracts';
import { daysToKeep, startWorker } from '#libs/outbox';
import { createLogger, type RunningService, type ServiceConfig } from '#libs/runtime';
import { entities } from './database/entities.js';
import { migrations } from './database/migrations/index.js';
import { DeliveriesService } from './delivery/deliveries.service.js';
import type { MailTransport } from './delivery/mail-transport.js';
import { openMailer } from './delivery/mailer-transport.js';
import { DEFAULT_SEND_MAIL_SETTINGS, SendMailService, type SendMailSettings } from './delivery/send-mail.service.js';
import { InboxService } from './inbox/inbox.service.js';
import { NotifierModule } from './notifier.module.js';

/** No link of a letter is good for longer. */
const LINKS_DAYS = 7;
const DEFAULT_FROM = 'Patchwatch <patchwatch@localhost>';

/** What tests replace. */
export interface NotifierOptions {
  readonly openTransport?: (url: string, from: string) => Promise<MailTransport>;
  readonly sending?: SendMailSettings;
}

/**
 * Starts the notifier: messages become mails. `PATCHWATCH_SMTP_URL` names the mail server (without it mails are written down as
 * suppressed), `PATCHWATCH_MAIL_FROM` the sender's address.
 * @throws see startWorker
 */
export async function startNotifier(config: ServiceConfig, options: NotifierOptions = {}): Promise<RunningService> {
  const logger = createLogger('notifier', { level: config.logLevel });
  const smtpUrl = config.env['PATCHWATCH_SMTP_URL'];
  const from = config.env['PATCHWATCH_MAIL_FROM'] || DEFAULT_FROM;
  const transport = smtpUrl ? await (options.openTransport ?? openMailer)(smtpUrl, from) : null;
  if (transport === null) logger.info('PATCHWATCH_SMTP_URL is not set: mails are written down, but not sent');
  const sending = options.sending ?? DEFAULT_SEND_MAIL_SETTINGS;
  return startWorker({
    config,
    logger,
    database: { entities, migrations, poolSize: 5 },
    questions: [exportData.notifier],
    module: (dataSource) => NotifierModule.with({ config, dataSource, transport, sending, logger }),
    besides: (app) => ({ sender: app.get(SendMailService) }),
    retention: (app) => [
      {
        table: 'inbox',
        days: daysToKeep(config, 'PATCHWATCH_INBOX_DAYS', 90),
        remove: (manager, before, limit) => app.get(InboxService).forget(manager, before, limit),
      },
      {
        table: 'deliveries_links',
        days: LINKS_DAYS,
        remove: (manager, before, limit) => app.get(DeliveriesService).forgetLinks(manager, before, limit),
      },
    ],
    closers: [() => transport?.close()],
  });
}
