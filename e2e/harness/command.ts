import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { within } from './within.js';

/** Longer than any command of the tests takes, on a busy machine. */
const END_MS = 120_000;

/** `patchwatch` as a process of its own, on the platform that the environment names. */
export class PatchwatchCommand {
  stdout = '';
  stderr = '';
  private readonly child: ChildProcess;

  constructor(
    private readonly args: readonly string[],
    environment: Readonly<Record<string, string>>,
  ) {
    this.child = spawn(
      process.execPath,
      ['--enable-source-maps', join(process.cwd(), 'dist/tools/cli/main.js'), ...args],
      { env: { PATH: process.env['PATH'] ?? '', TZ: 'UTC', ...environment }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.child.stdout!.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr!.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  /** @returns the exit code; null when it was killed. @throws Error when it does not end */
  async end(): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const ended = once(this.child, 'close');
    const [code] = (await within(END_MS, `patchwatch ${this.args.join(' ')} to end`, ended)) as [number | null];
    return code;
  }

  kill9(): void {
    this.child.kill('SIGKILL');
  }
}
