import type { RedisConnection } from './redis-connection.js';
import { silentLog } from './observer.js';
import type { StreamsLog, StreamsObserver } from './observer.js';
import { readDepth } from './redis-depth.js';
import { streamKey } from './stream-key.js';

export type AdmissionLevel = 'open' | 'soft' | 'hard';

export interface Admission {
  readonly level: AdmissionLevel;
  /** Jittered seconds for a Retry-After; 0 when open. */
  readonly retryAfterSeconds: number;
  /** For people and logs: which limit closed it; empty when open. */
  readonly reason: string;
}

interface Limit {
  readonly soft: number;
  readonly hard: number;
}

export interface AdmissionLimits {
  /** Share of Redis's maxmemory in use; ignored when Redis has no maxmemory. Default 0.7 and 0.85. */
  readonly memory: Limit;
  /** Bytes of the queue's streams together. Default 512 MiB and 1 GiB. */
  readonly bytes: Limit;
  /** Age in ms of the oldest entry that nobody has read. Default 5 and 60 minutes. */
  readonly headAgeMs: Limit;
}

/** Watches queues in the background and says whether more may come in. */
export interface AdmissionGate {
  of(queue: string): Admission;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface RedisAdmissionOptions {
  readonly connection: RedisConnection;
  readonly queues: readonly { readonly name: string; readonly partitions: number }[];
  readonly limits?: Partial<AdmissionLimits>;
  /** ms between samples; default 1,000. */
  readonly everyMs?: number;
  readonly observer?: StreamsObserver;
  readonly log?: StreamsLog;
}

const MIB = 1024 * 1024;
const DEFAULT_LIMITS: AdmissionLimits = {
  memory: { soft: 0.7, hard: 0.85 },
  bytes: { soft: 512 * MIB, hard: 1024 * MIB },
  headAgeMs: { soft: 5 * 60_000, hard: 60 * 60_000 },
};
const OPEN: Admission = { level: 'open', retryAfterSeconds: 0, reason: '' };
/** Once closed, a level opens again when its figure fell this far below the limit: no flapping. */
const REOPEN_AT = 0.9;

/**
 * Closes queues before Redis must refuse, by three figures sampled once a second: memory of the server, bytes of the
 * queue, age of the oldest unread entry. A sample that fails leaves the level as it was: whether Redis answers is
 * found out by publishing itself.
 */
export class RedisAdmission implements AdmissionGate {
  private readonly limits: AdmissionLimits;
  private readonly levels = new Map<string, Admission>();
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> | null = null;

  constructor(private readonly options: RedisAdmissionOptions) {
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
  }

  of(queue: string): Admission {
    return this.levels.get(queue) ?? OPEN;
  }

  /** Takes the first sample, then one every `everyMs`. */
  async start(): Promise<void> {
    await this.sample();
    this.timer ??= setInterval(() => void this.sample(), this.options.everyMs ?? 1_000);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    await this.running;
  }

  /** Never two at once, never rejects. */
  sample(): Promise<void> {
    this.running ??= this.takeSample()
      .catch((error: unknown) => (this.options.log ?? silentLog).warn({ error }, 'admission sample failed'))
      .finally(() => {
        this.running = null;
      });
    return this.running;
  }

  private async takeSample(): Promise<void> {
    const { connection, queues } = this.options;
    // The fullest node refuses first, and which messages would go there nobody knows before.
    const shares = connection.nodes().map((node) => node.run((client) => client.info('memory')).then(memoryShare));
    const memory = Math.max(...(await Promise.all(shares)));
    for (const queue of queues) {
      let bytes = 0;
      let headAgeMs = 0;
      for (let partition = 0; partition < queue.partitions; partition++) {
        const depth = await readDepth(connection, streamKey(queue.name, partition));
        bytes += depth.bytes;
        headAgeMs = Math.max(headAgeMs, depth.unreadAgeMs);
      }
      this.set(queue.name, this.judge(this.of(queue.name).level, { memory, bytes, headAgeMs }));
    }
  }

  private judge(before: AdmissionLevel, figures: Record<keyof AdmissionLimits, number>): Admission {
    for (const level of ['hard', 'soft'] as const) {
      const wasClosed = before === 'hard' || before === level;
      for (const name of ['memory', 'bytes', 'headAgeMs'] as const) {
        const limit = this.limits[name][level] * (wasClosed ? REOPEN_AT : 1);
        if (figures[name] >= limit) {
          const seconds = level === 'hard' ? 30 : 10;
          return {
            level,
            retryAfterSeconds: Math.ceil(seconds * (0.5 + Math.random())),
            reason: `${name} is ${Math.round(figures[name] * 100) / 100}, the ${level} limit ${this.limits[name][level]}`,
          };
        }
      }
    }
    return OPEN;
  }

  private set(queue: string, admission: Admission): void {
    if (this.of(queue).level !== admission.level) {
      this.options.observer?.admission?.(queue, admission.level);
      (this.options.log ?? silentLog).warn({ queue, ...admission }, 'admission changed');
    }
    this.levels.set(queue, admission);
  }
}

/** used_memory / maxmemory of one server's `INFO memory`; 0 when there is no limit. */
export function memoryShare(info: string): number {
  const figure = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const max = figure('maxmemory');
  return max === 0 ? 0 : figure('used_memory') / max;
}
