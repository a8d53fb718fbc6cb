import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '#libs/testing';
import { within } from './within.js';

/** What a service may take to end in order: its own limits are below it. In milliseconds. */
const END_MS = 40_000;
/** As `npm start` and the manifests start them. */
const { NODE_FLAGS } = (await import(`${process.cwd()}/tools/start/node-flags.mjs`)) as {
  readonly NODE_FLAGS: Readonly<Record<string, readonly string[]>>;
};
/** From SIGKILL to the end. */
const KILLED_MS = 10_000;

/** What runs must not outlive whoever started it. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** One service as a real process of its own, built from the sources, that can be killed and started again. */
export class ServiceProcess {
  private child: ChildProcess | null = null;
  private output = '';
  /** Where the built sources are; a test of releases side by side names another. */
  folder = process.cwd();
  /** Told of the end of every process of this service, however it came. */
  onEnd: (how: number | NodeJS.Signals) => void = () => undefined;

  constructor(
    readonly name: string,
    private readonly environment: Record<string, string>,
    /** Answers 200 once the service is ready. */
    readonly readyUrl: string,
    /** Told everything the process writes. */
    private readonly onOutput: (text: string) => void = () => undefined,
  ) {}

  /**
   * Starts the process and waits until it is ready. @throws Error with the end of its log when it does not get there.
   * @param extra settings for this start only
   */
  async start(extra: Record<string, string> = {}): Promise<void> {
    const child = this.launch(extra);
    await eventually(
      async () => {
        if (child.exitCode !== null || child.signalCode !== null) return 'ended';
        await this.mustBeReady();
        return 'ready';
      },
      // Less often than usual: asking takes time from those that start.
      { timeoutMs: 120_000, everyMs: 100, what: `${this.name} to be ready` },
    ).then(
      (outcome) => {
        if (outcome === 'ended') throw new Error(`${this.name} ended while starting:\n${this.output}`);
      },
      (error: unknown) => {
        throw this.withLastWords(error);
      },
    );
  }

  /** @throws Error with what it answers instead */
  async mustBeReady(withinMs = 5_000): Promise<void> {
    const answer = await fetch(this.readyUrl, { signal: AbortSignal.timeout(withinMs) });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  }

  /** @returns `error`, and why the process may have failed so */
  withLastWords(error: unknown): Error {
    const state = this.running ? 'it runs' : `it ended: ${this.ended}`;
    const message = `${(error as Error).message}; ${state}; its log ends:\n${this.output.slice(-1_500)}`;
    return new Error(message, { cause: error });
  }

  /** Starts the process and waits for nothing. @throws Error while one runs: nobody could end the first one any more */
  launch(extra: Record<string, string> = {}): ChildProcess {
    if (this.running) throw new Error(`${this.name} runs already`);
    const entry = join(this.folder, 'dist', 'apps', this.name, 'src', 'main.js');
    if (!existsSync(entry)) throw new Error(`${entry} is not there: run the tests by \`npm test\`, which builds first`);
    const child = spawn(process.execPath, ['--enable-source-maps', ...(NODE_FLAGS[this.name] ?? []), entry], {
      cwd: this.folder,
      // Nothing of the test's own environment leaks in: a service sees its settings only.
      env: { PATH: process.env['PATH'] ?? '', TZ: 'UTC', ...this.environment, ...extra },
      // The channel says nothing; its end tells the service that whoever started it is gone, and it stops by itself.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.child = child;
    const keep = (chunk: Buffer) => {
      const text = chunk.toString();
      this.output = (this.output + text).slice(-4_000);
      this.onOutput(text);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    running.add(child);
    child.once('exit', (code, signal) => {
      running.delete(child);
      this.onEnd(signal ?? code ?? 1);
    });
    return child;
  }

  get running(): boolean {
    return this.child !== null && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Of the process that runs, or ran last. @throws Error before the first start */
  get pid(): number {
    if (this.child?.pid === undefined) throw new Error(`${this.name} was never started`);
    return this.child.pid;
  }

  /** How the last process ended: its exit code or the signal; null while it runs. */
  get ended(): number | NodeJS.Signals | null {
    return this.child?.exitCode ?? this.child?.signalCode ?? null;
  }

  /** Sends a signal, when there is a process. */
  signal(signal: NodeJS.Signals): void {
    if (this.running) this.child?.kill(signal);
  }

  /** Ends the process without warning, as a power cut would. */
  async kill9(): Promise<void> {
    await this.end('SIGKILL', KILLED_MS);
  }

  /** Ends it in order. @throws Error when it has not ended after `withinMs`; then it is killed */
  async stop(withinMs = END_MS): Promise<void> {
    try {
      await this.end('SIGTERM', withinMs);
    } catch (error) {
      await this.kill9();
      throw new Error(`${(error as Error).message}; its log ends:\n${this.output.slice(-1_500)}`, { cause: error });
    }
  }

  /** The last lines the process wrote. */
  get log(): string {
    return this.output;
  }

  private async end(signal: 'SIGKILL' | 'SIGTERM', withinMs: number): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await within(withinMs, `${this.name} to end after ${signal}`, ended);
  }
}
