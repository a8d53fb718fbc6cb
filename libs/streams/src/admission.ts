import type { RedisConnection } from './connect-redis.js';

export type AdmissionLevel = 'open' | 'soft' | 'hard';

export interface Admission {
  readonly level: AdmissionLevel;
  /** Jittered seconds for a Retry-After; 0 when open. */
  readonly retryAfterSeconds: number;
  /** For people and logs: which limit closed it. */
  readonly reason: string;
}

export interface AdmissionLimits {
  /** Share of Redis's maxmemory in use; ignored when Redis has no maxmemory. Default soft 0.7, hard 0.85. */
  readonly memory: { readonly soft: number; readonly hard: number };
  /** Bytes of the queue's streams. Default 512 MiB, 1 GiB. */
  readonly bytes: { readonly soft: number; readonly hard: number };
  /** Age in ms of the oldest entry of the queue's streams. Default 5 and 60 minutes. */
  readonly headAgeMs: { readonly soft: number; readonly hard: number };
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
}
