import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { QUEUES, type QueueDefinition, type ServiceName } from '#libs/contracts';
import { TypeOrmUnitOfWork } from '#libs/database';
import { PostgresDeadLetterStore, TableOutbox, type DeadLetterFilter, type DeadLetterGroup } from '#libs/outbox';
import { CommandError } from './command-error.js';
import type { Platform } from './platform.js';

const queues = Object.values(QUEUES) as readonly QueueDefinition[];

/** Services that read a queue, and so may have dead letters. */
export const LETTER_SERVICES: readonly ServiceName[] = [...new Set(queues.map(({ subscriber }) => subscriber))];

/** Most letters in one transaction: their bodies go through memory. */
const BATCH = 50;

/** Which letters of which services. */
export type LetterSelection = ReadonlyMap<ServiceName, DeadLetterFilter>;

export interface LetterFilters {
  /** `<service>/<id>`, as lists show them. */
  readonly letters: readonly string[];
  readonly service?: string | undefined;
  readonly queue?: string | undefined;
  readonly reason?: string | undefined;
  readonly organizationId?: number | undefined;
  readonly since?: Date | undefined;
  readonly before?: Date | undefined;
}

/** Whether anything narrows the selection: without it, "all" must be said. */
export function isNarrow({ letters, ...others }: LetterFilters): boolean {
  return letters.length > 0 || Object.values(others).some((value) => value !== undefined);
}

/** @throws CommandError `no_such_service`, `no_such_queue`, `no_such_letter`, `queue_of_another_service` */
export function selectLetters(filters: LetterFilters): LetterSelection {
  const { service, queue, reason, organizationId, since, before } = filters;
  const common: DeadLetterFilter = {
    ...(queue === undefined ? {} : { queue }),
    ...(reason === undefined ? {} : { code: reason }),
    ...(organizationId === undefined ? {} : { organizationId }),
    ...(since === undefined ? {} : { since }),
    ...(before === undefined ? {} : { before }),
  };
  const owner = queue === undefined ? undefined : subscriberOf(queue);
  if (service !== undefined && !isLetterService(service))
    throw new CommandError(
      'no_such_service',
      `${service} has no dead letters; these have: ${LETTER_SERVICES.join(', ')}`,
    );
  if (owner !== undefined && service !== undefined && owner !== service)
    throw new CommandError('queue_of_another_service', `${queue} is a queue of ${owner}, not of ${service}`);
  const only = owner ?? service;
  if (filters.letters.length === 0)
    return new Map((only === undefined ? LETTER_SERVICES : [only]).map((name) => [name, common]));
  const ids = new Map<ServiceName, number[]>();
  for (const letter of filters.letters) {
    const [name = '', id = ''] = letter.split('/');
    if (!isLetterService(name) || !/^\d{1,15}$/.test(id))
      throw new CommandError(
        'no_such_letter',
        `${letter} names no letter: write <service>/<number>, as \`patchwatch dead list\` shows them`,
      );
    if (only === undefined || only === name) ids.set(name, [...(ids.get(name) ?? []), Number(id)]);
  }
  return new Map([...ids].map(([name, list]) => [name, { ...common, ids: list }]));
}

function isLetterService(name: string): name is ServiceName {
  return LETTER_SERVICES.includes(name as ServiceName);
}

function subscriberOf(name: string): ServiceName {
  const queue = queues.find((candidate) => candidate.name === name);
  if (!queue)
    throw new CommandError(
      'no_such_queue',
      `there is no queue ${name}; there are: ${queues.map((one) => one.name).join(', ')}`,
    );
  return queue.subscriber;
}

/** A time as people write it: RFC 3339, a day, or how long ago (`90m`, `36h`, `7d`). @throws CommandError `no_such_time` */
export function readTime(text: string, now = new Date()): Date {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (count !== undefined)
    return new Date(now.getTime() - Number(count) * { m: 60_000, h: 3_600_000, d: 86_400_000 }[unit as 'm']);
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? new Date(text) : new Date(Number.NaN);
  if (Number.isNaN(time.getTime()))
    throw new CommandError(
      'no_such_time',
      `${text} is no time: write 2026-05-20, 2026-05-20T17:00:00Z, or how long ago: 90m, 36h, 7d`,
    );
  return time;
}

export interface WorkOptions {
  /** Letters a second at most. */
  readonly rate: number;
  /** Letters in all at most; null: no limit. */
  readonly limit: number | null;
  readonly onProgress?: (done: number) => void;
  /** Ends it between two batches. */
  readonly stopping?: AbortSignal;
}

/**
 * Replays or discards the open letters that match and that are there when it begins, at a steady pace. Each batch is one transaction, so a run that
 * is killed has either done a letter or not touched it, and the same command goes on with the rest. A message that dies again meanwhile is a new
 * letter and not taken a second time.
 * @returns how many letters were done.
 */
export async function workThrough(
  action: 'replay' | 'discard',
  source: DataSource,
  filter: DeadLetterFilter,
  { rate, limit, onProgress, stopping }: WorkOptions,
): Promise<number> {
  const store = new PostgresDeadLetterStore();
  const outbox = new TableOutbox();
  const unitOfWork = new TypeOrmUnitOfWork(source);
  const upTo = Math.max(0, ...(await store.groups(source.manager, filter)).map(({ lastId }) => lastId));
  const there = { ...filter, upTo };
  const step = Math.max(1, Math.min(BATCH, Math.floor(rate / 4)));
  const begun = performance.now();
  let done = 0;
  while (!stopping?.aborted) {
    const most = Math.min(step, limit === null ? step : limit - done);
    if (most <= 0) break;
    const count = await unitOfWork.run((tx) =>
      action === 'replay' ? store.replay(tx, outbox, there, most) : store.discard(tx, there, most),
    );
    if (count === 0) break;
    done += count;
    onProgress?.(done);
    const aheadMs = (done / rate) * 1_000 - (performance.now() - begun);
    if (aheadMs > 0) await delay(aheadMs, undefined, stopping ? { signal: stopping } : {}).catch(() => undefined);
  }
  return done;
}

/** What a selection comes to, by service, queue and reason. */
export async function countLetters(
  selection: LetterSelection,
  platform: Platform,
): Promise<(DeadLetterGroup & { readonly service: ServiceName })[]> {
  const store = new PostgresDeadLetterStore();
  const groups = [];
  for (const [service, filter] of selection) {
    const found = await platform.use(service, (source) => store.groups(source.manager, filter));
    groups.push(...found.map((group) => ({ service, ...group })));
  }
  return groups;
}
