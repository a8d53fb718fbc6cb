import type { ServiceName } from '#libs/contracts';
import { eventually, type TcpProxy } from '#libs/testing';
import type { ServiceProcess } from '../../harness/processes.js';
import { LifeWatch } from './life-watch.js';

/** How one process reaches its servers; each link can be broken alone. */
export interface Links {
  readonly database: TcpProxy;
  readonly cache: TcpProxy;
  /** null: a Sentinel or Cluster, which tells its clients addresses behind any proxy. */
  readonly streams: TcpProxy | null;
}

/** Between the death of a process and its next start, as a supervisor would have it. */
const RESTART_MS = 100;
/** What a process may take to end in order, when the whole platform ends. */
const END_MS = 25_000;
/** What an answer to `/readyz` may take. */
const ANSWER_MS = 4_000;

/** One process of a service, with what a supervisor does: starts it again when it dies, kills it when it no longer answers. */
export class Instance {
  /** Settings that the next starts get besides the usual ones: fail points, mostly. */
  settings: Record<string, string> = {};
  /** Start it again when it dies. */
  supervised = false;
  /** How its processes ended so far. */
  readonly ends: (number | NodeJS.Signals)[] = [];
  private watch: LifeWatch | undefined;
  /** The platform has ended: a scenario that was given up must not start anything any more. */
  private over = false;

  constructor(
    readonly service: ServiceName,
    readonly process: ServiceProcess,
    readonly links: Links,
    /** `/healthz`, `/readyz` and `/metrics` are below it. */
    readonly healthUrl: string,
  ) {
    process.onEnd = (how) => {
      this.ends.push(how);
      if (this.supervised) setTimeout(() => this.startAgain(), RESTART_MS);
    };
  }

  /** Waits until it is ready. @throws Error when it does not get there, or the platform has ended */
  async start(): Promise<void> {
    if (this.over) throw new Error(`${this.service} belongs to a platform that has ended`);
    await this.process.start(this.settings);
  }

  /** Ends it in order and starts it anew. @returns how the old one ended */
  async restart(): Promise<number | NodeJS.Signals | null> {
    const wasSupervised = this.supervised;
    this.supervised = false;
    await this.process.stop();
    const how = this.process.ended;
    await this.start();
    this.supervised = wasSupervised;
    return how;
  }

  /** Waits until it is ready. @throws Error with what it answered last and the end of its log */
  async ready(timeoutMs = 120_000): Promise<void> {
    const probe = () => this.process.mustBeReady(ANSWER_MS).then(() => true);
    await eventually(probe, { what: `${this.service} to be ready`, timeoutMs }).catch((error: unknown) => {
      throw this.process.withLastWords(error);
    });
  }

  isReady(): Promise<boolean> {
    return this.process.mustBeReady(ANSWER_MS).then(
      () => true,
      () => false,
    );
  }

  /** A counter's or gauge's sum over its labels; null when the process does not answer. */
  async metric(name: string): Promise<number | null> {
    try {
      const answer = await fetch(`${this.healthUrl}/metrics`, { signal: AbortSignal.timeout(4_000) });
      const lines = (await answer.text())
        .split('\n')
        .filter((line) => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)));
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    } catch {
      return null;
    }
  }

  /** Resident memory in bytes; 0 when it does not run. */
  async memory(): Promise<number> {
    const { readFile } = await import('node:fs/promises');
    const status = await readFile(`/proc/${this.process.pid}/status`, 'utf8').catch(() => '');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1_024;
  }

  /** Kills it whenever it stands still for so long: see LifeWatch. */
  watchLife(silentMs: number): void {
    this.watch ??= new LifeWatch(this.process, this.healthUrl, silentMs);
  }

  stopWatching(): void {
    this.watch?.stop();
    this.watch = undefined;
  }

  /** For good. A process that does not end in order is killed. */
  async stop(): Promise<void> {
    this.over = true;
    this.supervised = false;
    this.stopWatching();
    this.process.signal('SIGCONT');
    await this.process.stop(END_MS).catch(() => undefined);
  }

  private startAgain(): void {
    if (this.supervised && !this.over && !this.process.running) this.process.launch(this.settings);
  }
}
