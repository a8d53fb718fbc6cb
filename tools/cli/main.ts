import { readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Command } from 'commander';
import type { ExposureRow } from '#libs/contracts';
import { ApiClient, ApiError } from './api-client.js';
import { addAuditCommand } from './audit-command.js';
import { backfill, type SiteCredentials } from './backfill.js';
import { CommandError } from './command-error.js';
import { comparePatchTimes, EXPLANATIONS, readLines, type PatchTime } from './compare-patch-times.js';
import { addDeadCommands } from './dead-command.js';
import { exposedOn, table } from './exposed-on.js';
import { HistorySourceError, readGitHistory, readJsonLines, type SiteHistory } from './history-source.js';
import { addRebuildCommand } from './rebuild-command.js';
import { ensureSites } from './sites.js';
import { addStreamsCommand } from './streams-command.js';
import { progressLine } from './progress-line.js';

interface Connection {
  url?: string;
  email?: string;
  password?: string;
  data?: string;
}

/** Address and login: given, or read from the data folder of a platform started here. */
function connection(options: Connection): { url: string; email: string | null; password: string | null } {
  let local: { url?: string; login?: string; password?: string } = {};
  try {
    local = JSON.parse(readFileSync(join(resolve(options.data ?? '.data'), 'access.json'), 'utf8')) as typeof local;
  } catch {
    // Not started here: everything must be given.
  }
  return {
    url: options.url ?? process.env.PATCHWATCH_URL ?? local.url ?? 'http://127.0.0.1:8080',
    email: options.email ?? process.env.PATCHWATCH_EMAIL ?? local.login ?? null,
    password: options.password ?? process.env.PATCHWATCH_PASSWORD ?? local.password ?? null,
  };
}

async function signedIn(options: Connection): Promise<ApiClient> {
  const { url, email, password } = connection(options);
  if (!email || !password) {
    throw new HistorySourceError(
      'no_login',
      'give --email and --password (or PATCHWATCH_EMAIL and PATCHWATCH_PASSWORD)',
    );
  }
  const client = new ApiClient(url);
  await client.login(email, password);
  return client;
}

const withConnection = (command: Command) =>
  command
    .option('--url <url>', 'address of the platform (default: the one started here, or http://127.0.0.1:8080)')
    .option('--email <email>', 'login (default: the first superuser of the one started here)')
    .option('--password <password>', 'password; better given as PATCHWATCH_PASSWORD')
    .option('--data <dir>', 'data folder of a platform started here', '.data');

const program = new Command('patchwatch')
  .description('Commands for people who run or feed Patchwatch')
  .showHelpAfterError();

withConnection(program.command('backfill'))
  .description(
    'push the history of lock files as dated inventories, so that exposures and patch times of the past appear',
  )
  .argument('[file]', 'JSON Lines (or .gz) with one or many sites, as in docs/backfill.md')
  .option('--git <dir>', 'a git checkout: every first-parent commit that changed the lock file')
  .option('--lock <path>', 'the lock file within the checkout', 'composer.lock')
  .option('--site <uuid>', 'push to this existing site (with --key); otherwise sites are created by name')
  .option('--key <key>', 'the site’s API key; better given as PATCHWATCH_SITE_KEY')
  .option('--name <name>', 'take only this site of the file, or name the site of the checkout')
  .option('--width <n>', 'sites pushed side by side', '24')
  .action(async (file: string | undefined, options: Connection & Record<string, string | undefined>) => {
    if (!file === !options.git) throw new HistorySourceError('no_source', 'give either a file or --git <dir>');
    let histories: SiteHistory[] = options.git
      ? [
          await readGitHistory(
            resolve(options.git),
            options.lock ?? 'composer.lock',
            options.name ?? basename(resolve(options.git)),
          ),
        ]
      : await readJsonLines(file ?? '');
    if (file && options.name) histories = histories.filter(({ alias }) => alias === options.name);
    if (histories.length === 0) throw new HistorySourceError('nothing_to_push', 'the source holds no such site');

    const key = options.key ?? process.env.PATCHWATCH_SITE_KEY;
    let client: ApiClient;
    let credentials: Map<string, SiteCredentials>;
    if (options.site) {
      if (!key) throw new HistorySourceError('no_key', '--site needs --key (or PATCHWATCH_SITE_KEY)');
      if (histories.length > 1) {
        throw new HistorySourceError(
          'many_sites',
          `the source holds ${histories.length} sites; choose one with --name`,
        );
      }
      client = new ApiClient(connection(options).url);
      credentials = new Map(histories.map(({ alias }) => [alias, { uuid: options.site ?? '', key }]));
    } else {
      client = await signedIn(options);
      credentials = await ensureSites(
        client,
        histories.map(({ alias }) => alias),
      );
    }
    const progress = progressLine();
    const totals = await backfill(
      client,
      histories.map((history) => ({ ...history, credentials: credentials.get(history.alias) as SiteCredentials })),
      {
        width: Math.max(1, Number(options.width) || 24),
        onProgress: ({ done, total, waiting }) => progress.show(`${done}/${total} inventories`, waiting),
      },
    );
    progress.end();
    for (const { alias, skipped } of histories)
      for (const line of skipped) console.log(`left out of ${alias}: ${line}`);
    console.log(
      table(
        ['sites', 'pushes', 'applied', 'duplicate', 'superseded', 'dead', 'still queued'],
        [
          [
            totals.sites,
            totals.pushes,
            totals.states.applied,
            totals.states.duplicate,
            totals.states.superseded,
            totals.states.dead,
            totals.states.queued,
          ].map(String),
        ],
      ),
    );
    for (const line of totals.dead) console.log(`dead: ${line}`);
    if (totals.states.dead + totals.states.queued > 0) process.exitCode = 1;
  });

withConnection(program.command('exposed-on'))
  .description('how many sites were exposed on a day, and how fast what was published on it was patched')
  .argument('<days...>', 'days as YYYY-MM-DD')
  .action(async (days: string[], options: Connection) => {
    for (const day of days) {
      if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new HistorySourceError('no_such_day', `${day} is not YYYY-MM-DD`);
    }
    console.log(await exposedOn(await signedIn(options), days));
  });

withConnection(program.command('compare-patch-times'))
  .description('compare the platform’s exposures with an independently computed list of patch times')
  .argument('<file>', 'JSON Lines (or .gz)')
  .option('--history <file>', 'the history that was pushed: tells which differences come from Drupal 7 versions')
  .option('--show <n>', 'unexplained differences to print', '20')
  .action(async (file: string, options: Connection & { show?: string; history?: string }) => {
    const expected = await readLines<PatchTime>(file);
    const client = await signedIn(options);
    const episodes: ExposureRow[] = [];
    for await (const row of client.pages<ExposureRow>('/api/v1/exposures?per_page=100&sort=opened_at'))
      episodes.push(row);
    const drupal7 = new Set<string>();
    for (const { alias, inventories } of options.history ? await readJsonLines(options.history) : []) {
      for (const { modules } of inventories) {
        for (const { project, version } of modules) if (version?.startsWith('7.x-')) drupal7.add(`${alias}|${project}`);
      }
    }
    const result = comparePatchTimes(expected, episodes, (site, module) => drupal7.has(`${site}|${module}`));
    const rows = [['agree', String(result.agree), '']];
    for (const [reason, list] of result.explained) {
      rows.push([reason, String(list.length), EXPLANATIONS[reason as keyof typeof EXPLANATIONS]]);
    }
    rows.push(['unexplained', String(result.unexplained.length), '']);
    console.log(table(['outcome', 'rows', 'why'], rows));
    for (const { expected: row, found } of result.unexplained.slice(0, Number(options.show))) {
      console.log(`expected ${JSON.stringify(row)}\n   found ${found}`);
    }
    if (result.unexplained.length > 0) process.exitCode = 1;
  });

addStreamsCommand(program);
addDeadCommands(program);
addRebuildCommand(program);
addAuditCommand(program);

program.parseAsync().catch((error: unknown) => {
  if (error instanceof HistorySourceError || error instanceof ApiError || error instanceof CommandError)
    console.error(`${error.code}: ${error.message}`);
  else console.error(error);
  process.exitCode = 2;
});
