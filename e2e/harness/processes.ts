import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '#libs/testing';

/** One service as a real process of its own, built from the sources, that can be killed and started again. */
export class ServiceProcess {
  private child: ChildProcess | null = null;
  private output = '';

  constructor(
    readonly name: string,
    private readonly environment: Record<string, string>,
    /** Answers 200 once the service is ready. */
    private readonly readyUrl: string,
  ) {}

  /** Starts the process and waits until it is ready. @throws Error with the end of its log when it does not get there. */
  async start(): Promise<void> {
    const entry = join(process.cwd(), 'dist', 'apps', this.name, 'src', 'main.js');
    if (!existsSync(entry)) throw new Error(`${entry} is not there: run the tests by \`npm test\`, which builds first`);
    const child = spawn(process.execPath, ['--enable-source-maps', entry], {
      // Nothing of the test's own environment leaks in: a service sees its settings only.
      env: { PATH: process.env['PATH'] ?? '', TZ: 'UTC', ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    const keep = (chunk: Buffer) => (this.output = (this.output + chunk.toString()).slice(-4_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    await eventually(
      async () => {
        if (child.exitCode !== null || child.signalCode !== null) return 'ended';
        const answer = await fetch(this.readyUrl);
        if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
        return 'ready';
      },
      { timeoutMs: 60_000, what: `${this.name} to be ready` },
    ).then(
      (outcome) => {
        if (outcome === 'ended') throw new Error(`${this.name} ended while starting:\n${this.output}`);
      },
      (error: unknown) => {
        throw new Error(`${(error as Error).message}; its log ends:\n${this.output.slice(-1_500)}`, { cause: error });
      },
    );
  }

  /** Ends the process without warning, as a power cut would. */
  async kill9(): Promise<void> {
    await this.end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  /** The last lines the process wrote. */
  get log(): string {
    return this.output;
  }

  private async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}
