/** A mail with its addressee. */
export interface OutgoingMail {
  readonly to: string;
  /** UUID; the Message-ID is made of it, so that a mail that was handed over twice can be recognised as one. */
  readonly deliveryId: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Hands one mail to a mail server. Resolves when the server has taken it over. */
export interface MailTransport {
  /** @throws whatever the server or the network said; see `isRefusal`. */
  send(mail: OutgoingMail): Promise<void>;
  close(): Promise<void>;
}

/** `MailTransport | null`; null: no mail server is set, so mails are written down but handed to nobody. */
export const MAIL_TRANSPORT = Symbol('MAIL_TRANSPORT');

/** True when the server has said no for good (5xx to this mail): trying again would be told the same. */
export function isRefusal(error: unknown): boolean {
  const { responseCode, code } = (error ?? {}) as { responseCode?: unknown; code?: unknown };
  // A refused login is the operator's to mend; the mail waits for it.
  if (code === 'EAUTH') return false;
  return typeof responseCode === 'number' && responseCode >= 500 && responseCode < 600;
}

/** What the server said, in one short line. */
export function describeFailure(error: unknown): string {
  const { message, code } = (error ?? {}) as { message?: unknown; code?: unknown };
  const text = `${typeof code === 'string' ? `${code}: ` : ''}${typeof message === 'string' ? message : String(error)}`;
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').slice(0, 500);
}

/** The mail as nodemailer takes it. */
export function messageOf(mail: OutgoingMail, from: string) {
  const domain = /@([A-Za-z0-9.-]+)>?\s*$/.exec(from)?.[1] ?? 'localhost';
  return {
    from,
    to: mail.to,
    messageId: `<${mail.deliveryId}@${domain}>`,
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    headers: { ...mail.headers },
  };
}

/** Settings of the connection; every wait is bounded, so that one dead server cannot stop the sender. */
export function smtpSettings(url: string) {
  return {
    url,
    pool: true,
    maxConnections: 2,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
  };
}
