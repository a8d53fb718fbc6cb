import type { Command } from 'commander';
import type { ServiceName } from '#libs/contracts';
import { PostgresDeadLetterStore, type StoredDeadLetter } from '#libs/outbox';
import { CommandError } from './command-error.js';
import { countLetters, isNarrow, readTime, selectLetters, workThrough, type LetterFilters } from './dead-letters.js';
import { printable, showLetter } from './dead-show.js';
import { table } from './exposed-on.js';
import { Platform, platformAddresses } from './platform.js';
import { progressLine } from './progress-line.js';
import { duration } from './streams-command.js';

interface DeadOptions {
  readonly data: string;
  readonly service?: string;
  readonly queue?: string;
  readonly reason?: string;
  readonly organization?: string;
  readonly since?: string;
  readonly before?: string;
  readonly limit?: string;
  readonly rate?: string;
  readonly json?: boolean;
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly full?: boolean;
}

const withFilters = (command: Command) =>
  command
    .option('--service <name>', 'letters of this service only')
    .option('--queue <name>', 'of this queue only, as `patchwatch streams` shows it')
    .option('--reason <code>', 'of this reason only')
    .option('--organization <uuid>', 'of this organization only')
    .option('--since <time>', 'died then or later: 2026-05-20, 2026-05-20T17:00:00Z, or how long ago: 90m, 36h, 7d')
    .option('--before <time>', 'died before then')
    .option('--json', 'JSON instead of a table')
    .option('--data <dir>', 'data folder of a platform started here', '.data');

/** `patchwatch dead list|show|replay|discard` */
export function addDeadCommands(program: Command): void {
  const dead = program
    .command('dead')
    .description('messages that could not be handled: look at them, send them again, give them up');
  withFilters(dead.command('list'))
    .description('open dead letters, the oldest of each service first')
    .option('--limit <n>', 'letters to list', '50')
    .action((options: DeadOptions) => onPlatform(options, (platform) => list(platform, options)));
  dead
    .command('show')
    .argument('<letter>', '<service>/<number>, as listed')
    .description('one letter whole: why it died, its envelope, its body')
    .option('--full', 'the whole body, however long')
    .option('--json', 'JSON')
    .option('--data <dir>', 'data folder of a platform started here', '.data')
    .action((letter: string, options: DeadOptions) =>
      onPlatform(options, (platform) => showLetter(platform, letter, options)),
    );
  for (const action of ['replay', 'discard'] as const) {
    withFilters(dead.command(action))
      .argument('[letters...]', '<service>/<number>, as listed; none: all that the filters leave')
      .description(
        action === 'replay'
          ? 'send letters back to their queues through the outbox; what is older than what stands ends superseded. Killed half way and run again, each letter is sent once'
          : 'give letters up; they stay on record until their retention is over',
      )
      .option('--all', 'needed when no filter is given')
      .option('--dry-run', 'say what would be done, and do nothing')
      .option('--limit <n>', 'letters in all')
      .option('--rate <n>', 'letters a second', '100')
      .action((letters: string[], options: DeadOptions) =>
        onPlatform(options, (platform) => work(platform, action, letters, options)),
      );
  }
}

async function onPlatform(options: DeadOptions, run: (platform: Platform) => Promise<void>): Promise<void> {
  const platform = new Platform(platformAddresses(options.data));
  try {
    await run(platform);
  } finally {
    await platform.close();
  }
}

async function filtersOf(platform: Platform, letters: readonly string[], options: DeadOptions): Promise<LetterFilters> {
  return {
    letters,
    service: options.service,
    queue: options.queue,
    reason: options.reason,
    organizationId:
      options.organization === undefined ? undefined : await organizationId(platform, options.organization),
    since: options.since === undefined ? undefined : readTime(options.since),
    before: options.before === undefined ? undefined : readTime(options.before),
  };
}

/** Letters carry the internal number; people know the UUID. The number is taken, too. */
async function organizationId(platform: Platform, text: string): Promise<number> {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  if (!/^[0-9a-f-]{36}$/i.test(text))
    throw new CommandError('no_such_organization', `${text} is no UUID of an organization`);
  const rows = await platform.use('gateway', (source) =>
    source.query<{ id: number }[]>('SELECT id FROM organizations WHERE uuid = $1', [text]),
  );
  if (!rows[0]) throw new CommandError('no_such_organization', `there is no organization ${text}`);
  return rows[0].id;
}

async function list(platform: Platform, options: DeadOptions): Promise<void> {
  const limit = wholeNumber('--limit', options.limit ?? '50', 1, 100_000);
  const selection = selectLetters(await filtersOf(platform, [], options));
  const store = new PostgresDeadLetterStore();
  const found: (StoredDeadLetter & { service: ServiceName })[] = [];
  const groups = await countLetters(selection, platform);
  for (const [service, filter] of selection) {
    const letters = await platform.use(service, (source) => store.list(source.manager, filter, limit - found.length));
    found.push(...letters.map((letter) => ({ service, ...letter })));
  }
  if (options.json) {
    console.log(
      JSON.stringify(
        { letters: found.map(({ id, service, ...letter }) => ({ letter: `${service}/${id}`, ...letter })), groups },
        null,
        2,
      ),
    );
    return;
  }
  const total = groups.reduce((sum, { letters }) => sum + letters, 0);
  if (total === 0) return console.log('no open dead letters');
  console.log(
    table(
      ['letter', 'queue', 'reason', 'organization', 'tries', 'age', 'what happened'],
      found.map((letter) => [
        `${letter.service}/${letter.id}`,
        letter.queue,
        letter.code,
        letter.organizationId === null ? '–' : String(letter.organizationId),
        String(letter.deliveries),
        duration((Date.now() - letter.failedAt.getTime()) / 1_000),
        printable(letter.detail).slice(0, 80),
      ]),
    ),
  );
  if (total > found.length) console.log(`and ${total - found.length} more: --limit ${total} shows all`);
}

async function work(
  platform: Platform,
  action: 'replay' | 'discard',
  letters: readonly string[],
  options: DeadOptions,
): Promise<void> {
  const rate = wholeNumber('--rate', options.rate ?? '100', 1, 100_000);
  const limit = options.limit === undefined ? null : wholeNumber('--limit', options.limit, 1, 1_000_000_000);
  const filters = await filtersOf(platform, letters, options);
  if (!isNarrow(filters) && !options.all && !options.dryRun)
    throw new CommandError('nothing_named', `name letters, give a filter, or say --all to ${action} every open letter`);
  const selection = selectLetters(filters);
  const groups = await countLetters(selection, platform);
  const workable = (group: { letters: number; replayable: number }) =>
    action === 'replay' ? group.replayable : group.letters;
  const total = Math.min(
    groups.reduce((sum, group) => sum + workable(group), 0),
    limit ?? Infinity,
  );
  const stuck = action === 'replay' ? groups.reduce((sum, group) => sum + group.letters - group.replayable, 0) : 0;
  let done = 0;
  const stopping = new AbortController();
  if (!options.dryRun) {
    process.once('SIGINT', () => stopping.abort());
    const progress = progressLine();
    for (const [service, filter] of selection) {
      const before = done;
      const pace = {
        rate,
        limit: limit === null ? null : limit - done,
        stopping: stopping.signal,
        onProgress: (count: number) => progress.show(`${before + count} of ${total} letters`),
      };
      done += await platform.use(service, (source) => workThrough(action, source, filter, pace));
    }
    progress.end();
  }
  const verb = { replay: 'replayed', discard: 'discarded' }[action];
  if (options.json) {
    console.log(
      JSON.stringify(
        { [verb]: done, matched: groups, not_replayable: stuck, dry_run: options.dryRun ?? false },
        null,
        2,
      ),
    );
  } else {
    if (groups.length > 0) {
      console.log(
        table(
          ['service', 'queue', 'reason', 'letters', 'oldest'],
          groups.map((group) => [
            group.service,
            group.queue,
            group.code,
            String(workable(group)),
            duration((Date.now() - group.oldest.getTime()) / 1_000),
          ]),
        ),
      );
    }
    console.log(options.dryRun ? `${total} letters would be ${verb}; nothing was done` : `${done} letters ${verb}`);
    if (stuck > 0)
      console.log(
        `${stuck} cannot be replayed, because their entries could not be read: look at them with \`patchwatch dead show\`, then discard them`,
      );
    if (done > 0 && action === 'replay')
      console.log(
        'they are in the outbox; the services send them as soon as they run (patchwatch streams --watch shows it)',
      );
  }
  if (stopping.signal.aborted) {
    console.error(`interrupted: run the same command again for the other ${total - done}`);
    process.exitCode = 130;
  }
}

function wholeNumber(name: string, text: string, lowest: number, highest: number): number {
  if (!/^\d+$/.test(text) || Number(text) < lowest || Number(text) > highest)
    throw new CommandError('no_such_number', `${name} is a whole number from ${lowest} to ${highest}, not ${text}`);
  return Number(text);
}
