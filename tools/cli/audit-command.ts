import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { CommandError } from './command-error.js';
import { table } from './exposed-on.js';
import { platformAddresses } from './platform.js';

/** What the process that verifies reports; see apps/gateway/src/audit. */
interface Verification {
  readonly lines: number;
  readonly head: { readonly position: number; readonly seal: string };
  readonly unsealed: number;
  readonly faults: readonly {
    readonly kind: string;
    readonly position?: number | null;
    readonly lineId?: number | null;
    readonly detail: string;
  }[];
  readonly more: boolean;
}

interface AuditOptions {
  readonly data: string;
  readonly expect?: string;
  readonly json?: boolean;
}

const verifier = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'apps/gateway/src/verify-audit.js');

/** `patchwatch audit verify` */
export function addAuditCommand(program: Command): void {
  program
    .command('audit')
    .description('the audit log')
    .command('verify')
    .description(
      'hold every line of the audit log against its seal: finds lines that were changed, removed or inserted past the platform, names them, and exits with 1',
    )
    .option(
      '--expect <position:seal>',
      'an end of the chain that was noted before: finds that later lines were cut off',
    )
    .option('--json', 'the outcome as JSON')
    .option('--data <dir>', 'data folder of a platform started here', '.data')
    .action(async (options: AuditOptions) => {
      if (options.expect !== undefined && !/^\d{1,15}:[0-9a-f]{64}$/.test(options.expect))
        throw new CommandError(
          'no_such_head',
          '--expect takes what an earlier verification printed: <position>:<seal>',
        );
      const found = await verify(options);
      console.log(options.json ? JSON.stringify(found, null, 2) : describeVerification(found));
      if (found.faults.length > 0) process.exitCode = 1;
    });
}

/** The outcome for people. */
export function describeVerification({ lines, head, unsealed, faults, more }: Verification): string {
  const summary = [
    `${lines} lines are sealed, ${unsealed} wait for their seal`,
    `end of the chain, to be noted elsewhere and given to --expect next time: ${head.position}:${head.seal}`,
  ];
  if (faults.length === 0) return ['the audit log is as it was written', ...summary].join('\n');
  const rows = faults.map(({ kind, position, lineId, detail }) => [
    kind,
    position == null ? '–' : String(position),
    lineId == null ? '–' : String(lineId),
    detail,
  ]);
  return [
    table(['what is wrong', 'position', 'line', ''], rows),
    ...(more ? ['and more'] : []),
    'the audit log is NOT as it was written',
    ...summary,
  ].join('\n');
}

/** The process connects as the gateway does; the pepper, from which the key of the seals comes, is the gateway's. */
async function verify({ data, expect }: AuditOptions): Promise<Verification> {
  const addresses = platformAddresses(data);
  const child = spawn(process.execPath, ['--enable-source-maps', verifier, expect ?? ''], {
    env: {
      ...process.env,
      TZ: 'UTC',
      PATCHWATCH_GATEWAY_DATABASE_URL: addresses.databaseUrl('gateway') ?? '',
      PATCHWATCH_PEPPER: process.env['PATCHWATCH_PEPPER'] || localPepper(data),
    },
    stdio: ['ignore', 'pipe', 2],
  });
  let output = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0)
    throw new CommandError(
      'verification_failed',
      'the log could not be read; what went wrong stands above. Set PATCHWATCH_GATEWAY_DATABASE_URL and PATCHWATCH_PEPPER as the gateway has them, or name the data folder with --data',
    );
  return JSON.parse(output) as Verification;
}

function localPepper(data: string): string {
  try {
    return readFileSync(join(resolve(data), 'secrets', 'pepper'), 'utf8').trim();
  } catch {
    return '';
  }
}
