import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceName } from '#libs/contracts';
import { eventually, type TcpProxy } from '#libs/testing';
import type { ServiceProcess } from '../../harness/processes.js';

/** How one process reaches its servers; each link can be broken alone. */
export interface Links {
  readonly database: TcpProxy;
  readonly cache: TcpProxy;
  /** null: a Sentinel or Cluster, which tells its clients addresses behind any proxy. */
  readonly streams: TcpProxy | null;
}

/** Between the death of a process and its next start, as a supervisor would have it. */
const RESTART_MS = 100;

/** One process of a service, with what a supervisor does: starts it again when it dies, kills it when it no longer answers. */
export class Instance {
  /** Settings that the next starts get besides the usual ones: fail points, mostly. */
  settings: Record<string, string> = {};
  /** Start it again when it dies. */
  supervised = false;
  /** How its processes ended so far. */
  readonly ends: (number | NodeJS.Signals)[] = [];
  private watching: NodeJS.Timeout | undefined;
  private silentSince: number | null = null;
  /** This process has answered before: one that starts may take its time. */
  private wasAlive = false;

  constructor(
    readonly service: ServiceName,
    readonly process: ServiceProcess,
    readonly links: Links,
    /** `/healthz`, `/readyz` and `/metrics` are below it. */
    readonly healthUrl: string,
  ) {
    process.onEnd = (how) => {
      this.ends.push(how);
      this.wasAlive = false;
      if (this.supervised) setTimeout(() => this.startAgain(), RESTART_MS);
    };
  }

  /** Waits until it is ready. */
  async start(): Promise<void> {
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

  async ready(timeoutMs = 60_000): Promise<void> {
    await eventually(async () => (await this.isReady()) || null, { what: `${this.service} to be ready`, timeoutMs });
  }

  async isReady(): Promise<boolean> {
    try {
      return (await fetch(this.process.readyUrl, { signal: AbortSignal.timeout(4_000) })).ok;
    } catch {
      return false;
    }
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

  /** Kills it when `/healthz` has not answered for so long: the process stands still, whatever it does. */
  watchLife(silentMs: number): void {
    this.watching ??= setInterval(() => void this.lookForLife(silentMs), Math.max(200, silentMs / 5));
  }

  stopWatching(): void {
    clearInterval(this.watching);
    this.watching = undefined;
  }

  async stop(): Promise<void> {
    this.supervised = false;
    this.stopWatching();
    this.process.signal('SIGCONT');
    await Promise.race([this.process.stop(), delay(25_000).then(() => this.process.kill9())]);
  }

  private async lookForLife(silentMs: number): Promise<void> {
    const alive = await fetch(`${this.healthUrl}/healthz`, { signal: AbortSignal.timeout(silentMs / 4) }).then(
      (answer) => answer.ok,
      () => false,
    );
    if (alive) this.wasAlive = true;
    if (alive || !this.wasAlive || !this.process.running) this.silentSince = null;
    else {
      this.silentSince ??= performance.now();
      if (performance.now() - this.silentSince > silentMs) {
        this.silentSince = null;
        this.process.signal('SIGKILL');
      }
    }
  }

  private startAgain(): void {
    if (this.supervised && !this.process.running) this.process.launch(this.settings);
  }
}
