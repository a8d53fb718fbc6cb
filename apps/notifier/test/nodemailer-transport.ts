import { createTransport } from 'nodemailer';
import { messageOf, smtpSettings, type MailTransport } from '../src/delivery/mail-transport.js';

/** The same as `openMailer` without @nestjs-modules/mailer, which Jest cannot load (it requires ES modules). */
export function openNodemailer(url: string, from: string): Promise<MailTransport> {
  const transport = createTransport(smtpSettings(url));
  return Promise.resolve({
    send: async (mail) => {
      await transport.sendMail(messageOf(mail, from));
    },
    close: () => Promise.resolve(transport.close()),
  });
}
