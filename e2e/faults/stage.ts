import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { QUEUES } from '#libs/contracts';
import { eventually } from '#libs/testing';
import { within } from '../harness/within.js';
import { lookAtBacklog } from './backlog.js';
import { readDead, readFacts, readStreams } from './facts.js';
import type { DeadFact, Facts } from './identity.js';
import { Ledger } from './ledger.js';
import { Load, type LoadOptions } from './load.js';
import type { Platform } from './platform/platform.js';
import { PushClient, type PushAnswer } from './push-client.js';
import { untilQuiet } from './quiet.js';
import { registerSites, type SiteAgent } from './site-agent.js';
import { TUNING, type RunOptions } from './run-options.js';
import { DEAD_SCHEMAS, type DeadSchema, type Scope } from './scope.js';

/** How long a probe that was begun in time may take beyond it, in milliseconds. */
const PROBE_MS = 20_000;

/** What a scenario plays on: the platform, sites of its own, clients that keep the books. */
export class Stage {
  /** Promises that did not hold. */
  readonly problems: string[] = [];
  readonly notes: string[] = [];
  /** Push ids lost on purpose (a Redis that was emptied), named by the scenario. */
  readonly named: string[] = [];
  readonly client: PushClient;
  private readonly loads: Load[] = [];
  private readonly listeners = new Set<(answer: PushAnswer) => void>();
  private watching = true;
  private watch: Promise<void> = Promise.resolve();
  private readonly over = new AbortController();
  private readonly givenUp = new Promise<never>((_, reject) => {
    this.over.signal.addEventListener('abort', () => reject(this.over.signal.reason as Error));
  });
  private waiting = 'its beginning';

  private constructor(
    readonly platform: Platform,
    readonly options: RunOptions,
    readonly ledger: Ledger,
    private readonly scope: Scope & { readonly siteIds: number[] },
    private readonly prefix: string,
  ) {
    this.givenUp.catch(() => undefined);
    // Every pause of every lane listens.
    setMaxListeners(0, this.over.signal);
    this.client = new PushClient(platform.gateways, ledger, (answer) => {
      for (const listener of this.listeners) listener(answer);
    });
  }

  static async open(platform: Platform, name: string, options: RunOptions): Promise<Stage> {
    const deadSince = {} as Record<DeadSchema, number>;
    for (const schema of DEAD_SCHEMAS) {
      const [row] = await platform.query<{ id: number }>(
        `SELECT coalesce(max(id), 0)::int AS id FROM ${schema}.dead_letters`,
      );
      deadSince[schema] = row!.id;
    }
    const [row] = await platform.query<{ id: number }>('SELECT coalesce(max(id), 0)::int AS id FROM faults.events');
    const stage = new Stage(
      platform,
      options,
      new Ledger(options.folder),
      { siteIds: [], deadSince, eventsSince: row!.id },
      name,
    );
    stage.watch = stage.watchBacklog();
    return stage;
  }

  /** `full` in the whole run, `short` in the everyday tests. */
  scale(full: number, short: number): number {
    return this.options.short ? short : full;
  }

  /** A promised time limit. In the everyday tests other suites have the machine, too: there it only tells quick from never. */
  within(ms: number): number {
    return this.scale(ms, ms * 6);
  }

  get tuning(): (typeof TUNING)['full' | 'short'] {
    return this.options.short ? TUNING.short : TUNING.full;
  }

  async sites(count: number): Promise<SiteAgent[]> {
    const sites = await registerSites(this.platform, count, this.prefix);
    this.scope.siteIds.push(...sites.map(({ id }) => id));
    return sites;
  }

  load(options: Pick<LoadOptions, 'sites' | 'lanes' | 'perSecond' | 'count' | 'mix'>): Load {
    const load = new Load({ ...options, client: this.client, ledger: this.ledger, signal: this.over.signal });
    this.loads.push(load);
    return load;
  }

  onAnswer(listener: (answer: PushAnswer) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** A promise beyond the identity. @param seen for the report, when it does not hold */
  check(promise: string, holds: boolean, seen: unknown = ''): void {
    if (holds) this.note(`${promise}${seen === '' ? '' : ` (${show(seen)})`}`);
    else this.problems.push(`${promise}: ${show(seen)}`);
  }

  note(text: string): void {
    this.notes.push(text);
    this.options.say(`    ${text}`);
  }

  /** What is waited for, or was last. */
  get waitingFor(): string {
    return this.waiting;
  }

  /** The scenario is given up: loads stop, and whatever of it still waits breaks off. What it played on cannot be trusted any more. */
  abandon(): void {
    this.watching = false;
    this.over.abort(new Error('the scenario was given up'));
    this.client.close();
  }

  /** Pauses, while disasters go on. @throws Error when the scenario was given up */
  async pass(ms: number): Promise<void> {
    const { signal } = this.over;
    await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
  }

  /** Waits for `work` of the scenario's own. @throws Error when it is not done after `timeoutMs`, or the scenario was given up */
  async done<T>(what: string, work: Promise<T>, timeoutMs: number): Promise<T> {
    this.waiting = what;
    return Promise.race([within(timeoutMs, what, work), this.givenUp]);
  }

  /**
   * Waits for something that must come; a promise that it comes in time.
   * @returns milliseconds it took
   * @throws Error when the scenario was given up
   */
  async until(what: string, probe: () => Promise<unknown> | unknown, timeoutMs = 30_000): Promise<number> {
    const { signal } = this.over;
    signal.throwIfAborted();
    this.waiting = what;
    const started = performance.now();
    // Once the scenario is over, the probe is content and asks nobody.
    const seen = eventually(() => signal.aborted || probe(), { what, timeoutMs, everyMs: 50 });
    try {
      // A probe that never comes back is given up, too.
      await this.done(what, seen, timeoutMs + PROBE_MS);
    } catch (error) {
      signal.throwIfAborted();
      this.problems.push(`${what}: ${(error as Error).message}`);
    }
    return Math.round(performance.now() - started);
  }

  /** Until every queue and every outbox is empty. */
  async settle(timeoutMs = 120_000): Promise<number> {
    return this.until('all queues and outboxes to be empty', untilQuiet(this.platform), timeoutMs);
  }

  /** Open dead letters of pushes since the beginning. */
  dead(): Promise<DeadFact[]> {
    return readDead(this.platform, this.scope);
  }

  facts(): Promise<Facts> {
    return readFacts(this.platform, this.scope, this.ledger, this.named);
  }

  async stopLoads(): Promise<void> {
    await Promise.all(this.loads.map((load) => load.stop()));
    const refused = this.loads.flatMap((load) => load.refused);
    if (refused.length > 0)
      this.problems.push(`${refused.length} pushes were refused: ${[...new Set(refused)].join(', ')}`);
  }

  async close(): Promise<void> {
    this.watching = false;
    await this.watch;
    this.client.close();
    this.ledger.close();
    if (this.client.answers.size > 0) {
      this.note(`answers: ${[...this.client.answers].map(([name, count]) => `${count} × ${name}`).join(', ')}`);
    }
    for (const schema of DEAD_SCHEMAS.filter((other) => other !== 'ingest')) {
      const letters = await this.platform.query<{ code: string; detail: string }>(
        `SELECT code, detail FROM ${schema}.dead_letters WHERE resolution IS NULL AND id > $1 LIMIT 3`,
        [this.scope.deadSince[schema]],
      );
      if (letters.length > 0) this.problems.push(`${schema} has dead letters: ${show(letters)}`);
    }
  }

  /** I8, twice a second. */
  private async watchBacklog(): Promise<void> {
    let looks = 0;
    while (this.watching) {
      await delay(500);
      try {
        const wrong = await lookAtBacklog({
          accepted: () => this.ledger.accepted,
          letters: async () => (await this.dead()).map(({ id }) => id),
          inFlight: () => this.count('ingest.outbox WHERE queue = $1', [QUEUES.ingestPushes.name]),
          waiting: async () =>
            (await readStreams(this.platform))
              .filter(({ stream }) => stream.startsWith(QUEUES.ingestPushes.name))
              .reduce((sum, { length }) => sum + length, 0),
          receipts: () => this.count('ingest.receipts WHERE site_id = ANY($1::int[])', [this.scope.siteIds]),
        });
        looks++;
        // What a scenario loses on purpose is missing from then on.
        if (this.named.length === 0 && wrong !== null) this.problems.push(`I8: ${wrong}`);
      } catch {
        // A server is away: that is what is being tested.
      }
    }
    this.note(`I8 looked at ${looks} times`);
  }

  private async count(from: string, values: unknown[]): Promise<number> {
    const [row] = await this.platform.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${from}`, values);
    return row!.count;
  }
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
