import type { AccountLetter, AccountLetterDue } from '#libs/contracts';

/** A mail, ready to be sent. */
export interface LetterMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Words {
  readonly subject: string;
  readonly lines: readonly string[];
  /** What the link is called; null: there is none. */
  readonly link: string | null;
}

type Speak = (due: AccountLetterDue) => Words;

const NOT_YOU = 'If it was not you, change your password at once, look at your sessions, and tell an administrator.';

/** What each letter says. A letter without words does not compile. */
const WORDS: Readonly<Record<AccountLetter, Speak>> = {
  invitation: ({ organization_name }) => ({
    subject: `You are invited to ${organization_name ?? 'Patchwatch'}`,
    lines: [
      `You are invited to watch over the sites of ${organization_name ?? 'an organization'} with Patchwatch.`,
      'If you do not expect this, do nothing: without you nothing happens.',
    ],
    link: 'Accept the invitation',
  }),
  password_reset: () => ({
    subject: 'Set a new password',
    lines: [
      'Somebody, probably you, wants to set a new password for your account.',
      'If it was not you, do nothing: your password stays as it is.',
    ],
    link: 'Set a new password',
  }),
  password_changed: () => ({
    subject: 'Your password was changed',
    lines: ['The password of your account was changed.', NOT_YOU],
    link: null,
  }),
  session_token_reused: () => ({
    subject: 'One of your sessions was ended',
    lines: [
      'A key of one of your sessions was used twice: somebody may have copied it. The session was ended.',
      NOT_YOU,
    ],
    link: null,
  }),
  new_device: () => ({
    subject: 'A log-in from a new place',
    lines: [
      'Somebody, probably you, logged in to your account with a program or from a network that was not used before.',
      NOT_YOU,
    ],
    link: null,
  }),
  login_after_failures: () => ({
    subject: 'Your password was given after several failures',
    lines: ['Your password was right after several wrong ones: somebody may have guessed it.', NOT_YOU],
    link: null,
  }),
  second_factor_on: () => ({
    subject: 'Your second factor is on',
    lines: ['From now on a code of your app is needed to log in.', NOT_YOU],
    link: null,
  }),
  second_factor_off: () => ({
    subject: 'Your second factor is off',
    lines: ['From now on your password alone is enough to log in.', NOT_YOU],
    link: null,
  }),
  backup_code_used: () => ({
    subject: 'A backup code of yours was used',
    lines: ['Somebody logged in to your account by one of its backup codes. It is worth nothing any more.', NOT_YOU],
    link: null,
  }),
  site_quarantined: ({ site, organization_name }) => ({
    subject: site === undefined ? 'A site is held' : `A site is held: ${shortened(site.name, 55)}`,
    lines: [
      `A push with the key of ${site === undefined ? 'a site' : placed(site.name, site.host, site.environment)} of ${organization_name ?? 'your organization'} says that it comes from ${site === undefined ? 'elsewhere' : saidBy(site)}.`,
      'Either the site has moved, or it was copied, database and key included. Until somebody of you decides, its pushes are held back; those that come from where the site is registered are taken.',
      'If it has moved, accept the change. If it is a copy, register the copy as a site of its own, with its own key, and then keep what the registry says.',
    ],
    link: 'Look and decide',
  }),
};

type HeldSite = NonNullable<AccountLetterDue['site']>;

function placed(name: string, host: string | null, environment: string): string {
  return `${name} (${host === null ? environment : `${host}, ${environment}`})`;
}

function saidBy({ reported_host, reported_environment }: HeldSite): string {
  const said = [reported_host, reported_environment].filter((part) => part !== null);
  return said.length === 0 ? 'elsewhere' : said.join(', ');
}

/** Cut between characters, not within one. */
function shortened(text: string, most: number): string {
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
}

/** The letter as a mail. Text and HTML say the same. */
export function accountLetter(due: AccountLetterDue): LetterMail {
  const { subject, lines, link } = WORDS[due.letter](due);
  const facts = [
    `When: ${readable(due.happened_at)}`,
    ...(due.address === null ? [] : [`From: ${due.address}`]),
    ...(due.device === null ? [] : [`With: ${due.device}`]),
  ];
  const until = due.valid_until === null ? [] : [`The link is good once, until ${readable(due.valid_until)}.`];
  const greeting = due.name === '' ? 'Hello,' : `Hello ${due.name},`;
  const withLink = link !== null && due.link !== null;
  const text = [
    oneLine(greeting),
    '',
    ...lines.map(oneLine),
    ...(withLink ? ['', `${link}: ${due.link}`, ...until] : []),
    '',
    ...facts.map(oneLine),
    '',
    'Patchwatch',
    '',
  ].join('\n');
  const html = [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"></head>',
    '<body style="font-family: sans-serif; line-height: 1.5; max-width: 40em">',
    `<p>${escape(greeting)}</p>`,
    ...lines.map((line) => `<p>${escape(line)}</p>`),
    ...(withLink
      ? [`<p><a href="${escape(due.link ?? '')}">${escape(link)}</a></p><p>${escape(until.join(''))}</p>`]
      : []),
    `<p>${facts.map(escape).join('<br>')}</p><p>Patchwatch</p></body></html>`,
  ].join('\n');
  return {
    subject: oneLine(subject),
    text,
    html,
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Patchwatch-Kind': due.letter.replaceAll('_', '-') },
  };
}

function readable(instant: string): string {
  return `${instant.slice(0, 16).replace('T', ' ')} UTC`;
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return oneLine(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
