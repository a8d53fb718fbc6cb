import { messageOf, smtpSettings, type MailTransport } from './mail-transport.js';

/**
 * The transport by @nestjs-modules/mailer over SMTP. Loaded when needed: a notifier without a mail server needs none of it.
 * @param url `smtp://` or `smtps://`, with user and password where the server wants them.
 * @param from address that mails come from.
 */
export async function openMailer(url: string, from: string): Promise<MailTransport> {
  const { MailerService } = await import('@nestjs-modules/mailer');
  // Without a factory it takes its own.
  const mailer = new MailerService({ transport: smtpSettings(url) }, undefined as never);
  return {
    send: async (mail) => {
      await mailer.sendMail(messageOf(mail, from));
    },
    close: () => mailer.onModuleDestroy(),
  };
}
