import type { ServiceName } from '#libs/contracts';
import { PostgresDeadLetterStore, type WholeDeadLetter } from '#libs/outbox';
import { gunzipBounded } from '#libs/streams';
import { CommandError } from './command-error.js';
import { selectLetters } from './dead-letters.js';
import type { Platform } from './platform.js';

/** Prints one letter whole. @throws CommandError `no_such_letter` */
export async function showLetter(
  platform: Platform,
  name: string,
  options: { readonly json?: boolean; readonly full?: boolean },
): Promise<void> {
  const [[service, filter]] = [...selectLetters({ letters: [name] })] as [[ServiceName, { ids: number[] }]];
  const store = new PostgresDeadLetterStore();
  const letter = await platform.use(service, (source) => store.find(source.manager, filter.ids[0]!));
  if (!letter)
    throw new CommandError(
      'no_such_letter',
      `${service} has no letter ${filter.ids[0]}: \`patchwatch dead list --service ${service}\` shows which it has`,
    );
  const { body, id, ...facts } = letter;
  const text = bodyText(letter);
  if (options.json) {
    console.log(JSON.stringify({ letter: `${service}/${id}`, ...facts, body: text }, null, 2));
    return;
  }
  const lines: [string, string][] = [
    [
      'letter',
      `${service}/${id}${letter.resolution ? ` (${letter.resolution} ${letter.resolvedAt?.toISOString()})` : ''}`,
    ],
    ['queue', letter.queue],
    ['reason', `${letter.code}: ${letter.detail}`],
    ['handler', letter.handler ?? '–'],
    ['deliveries', String(letter.deliveries)],
    ['died', letter.failedAt.toISOString()],
    ['replayable', letter.replayable ? 'yes' : 'no: the entry could not be read; it can be discarded only'],
  ];
  for (const [key, value] of lines) console.log(`${key.padEnd(11)} ${printable(value)}`);
  console.log(`\n${JSON.stringify(letter.envelope ?? letter.raw, null, 2)}\n`);
  const shown = options.full ? text : text?.slice(0, 4_000);
  if (shown != null) console.log(printable(shown));
  if (text && shown && text.length > shown.length)
    console.log(`… ${text.length - shown.length} more characters: --full shows all`);
}

function bodyText({ body, envelope }: WholeDeadLetter): string | null {
  if (body === null) return null;
  try {
    const bytes = envelope?.contentEncoding === 'gzip' ? gunzipBounded(body, 64 * 1024 * 1024) : body;
    return Buffer.from(bytes).toString('utf8');
  } catch (error) {
    return `${body.length} bytes that cannot be unpacked (${(error as Error).message}): ${body.subarray(0, 64).toString('hex')}…`;
  }
}

/** What came from outside must not steer the terminal. */
export const printable = (text: string): string => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');
