import { setTimeout as delay } from 'node:timers/promises';
import type { Ledger } from './ledger.js';
import type { PushAnswer, PushClient } from './push-client.js';
import type { PushKind, SiteAgent, SitePush } from './site-agent.js';

export interface LoadOptions {
  readonly client: PushClient;
  readonly ledger: Ledger;
  readonly sites: readonly SiteAgent[];
  /** Pushes under way at once; each lane has sites of its own. */
  readonly lanes?: number;
  /** Over all lanes; default: as fast as it goes. */
  readonly perSecond?: number;
  /** Ends by itself after so many accepted pushes. */
  readonly count?: number;
  /** Of each ten pushes of a site. Default: five changed, four unchanged, one heartbeat. */
  readonly mix?: readonly PushKind[];
  /** Aborted: everything stops at once. */
  readonly signal?: AbortSignal;
}

const MIX: readonly PushKind[] = [
  'changed',
  'unchanged',
  'changed',
  'unchanged',
  'changed',
  'heartbeat',
  'changed',
  'unchanged',
  'changed',
  'unchanged',
];

/** Between two tries of a push, whatever Retry-After says: sites are patient, a scenario is not. */
const RETRY_MS = { least: 50, most: 1_000 };

/** Sites that push steadily, each in its own order, and repeat under the same push id what was not accepted. */
export class Load {
  private isStopped = false;
  private readonly lanes: Promise<void>[];
  private sent = 0;
  /** Pushes that were given up, never accepted, when the load was stopped. */
  abandoned = 0;
  /** Answers that a site would have to show to a person, with their codes. */
  readonly refused: string[] = [];

  constructor(private readonly options: LoadOptions) {
    const count = Math.min(options.lanes ?? 16, options.sites.length);
    this.started = performance.now();
    this.lanes = Array.from({ length: count }, (_, lane) =>
      this.run(options.sites.filter((_site, i) => i % count === lane)),
    );
  }

  private readonly started: number;

  /** Lets every push under way end, retries cut short. Resolves when nothing is sent any more. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await Promise.all(this.lanes);
  }

  /** Resolves when `count` is reached. */
  async done(): Promise<void> {
    await Promise.all(this.lanes);
  }

  private async run(sites: readonly SiteAgent[]): Promise<void> {
    const { mix = MIX } = this.options;
    for (let round = 0; !this.isOver(); round++) {
      const site = sites[round % sites.length]!;
      const kind = mix[Math.floor(round / sites.length) % mix.length]!;
      await this.pace();
      if (this.isOver()) break;
      this.sent++;
      await this.deliver(site.next(kind));
    }
  }

  private get stopping(): boolean {
    return this.isStopped || this.options.signal?.aborted === true;
  }

  private isOver(): boolean {
    const { count, ledger } = this.options;
    return this.stopping || (count !== undefined && ledger.accepted >= count);
  }

  /** Holds the rate over all lanes; what was missed while nothing was accepted is made up for, as a fleet does. */
  private async pace(): Promise<void> {
    const { perSecond } = this.options;
    if (perSecond === undefined) return;
    const due = this.started + (this.sent * 1_000) / perSecond;
    const wait = due - performance.now();
    if (wait > 1) await delay(wait);
  }

  private async deliver(push: SitePush): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const answer = await this.options.client.send(push);
      if (answer.status === 202) return;
      if (answer.status === 409 && !this.stopping) {
        // The hash is not known there: everything, as the next push.
        push = push.agent.next('unchanged');
        continue;
      }
      if (answer.status !== 'none' && answer.status < 500 && ![409, 429].includes(answer.status)) {
        this.refused.push(`${answer.status} ${answer.code}`);
        return;
      }
      if (this.stopping) {
        this.abandoned++;
        return;
      }
      await delay(pauseOf(attempt, answer));
    }
  }
}

function pauseOf(attempt: number, { retryAfterMs }: PushAnswer): number {
  const asked = Math.max(RETRY_MS.least * 2 ** Math.min(attempt, 4), retryAfterMs / 10);
  return Math.min(asked, RETRY_MS.most) * (0.5 + Math.random());
}
