import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { CommandError } from './command-error.js';
import { table } from './exposed-on.js';
import { Platform, platformAddresses } from './platform.js';
import { sampleQueues, withRates, type QueueFigures, type QueueSample } from './queue-figures.js';

interface StreamsOptions {
  readonly data: string;
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly interval: string;
}

/** `patchwatch streams` */
export function addStreamsCommand(program: Command): void {
  program
    .command('streams')
    .description('every queue: what waits, how old the oldest is, what is dead, how fast messages come and go')
    .option('--json', 'one JSON document (with --watch: one a line)')
    .option('--watch', 'look again and again until Ctrl-C')
    .option('--interval <seconds>', 'over which the rates are measured', '2')
    .option('--data <dir>', 'data folder of a platform started here', '.data')
    .action((options: StreamsOptions) => streams(options));
}

async function streams(options: StreamsOptions): Promise<void> {
  const seconds = Number(options.interval);
  if (!(seconds >= 0.2 && seconds <= 3_600))
    throw new CommandError(
      'no_such_interval',
      `--interval is a number of seconds from 0.2 to 3600, not ${options.interval}`,
    );
  const platform = new Platform(platformAddresses(options.data));
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort());
  try {
    let trouble: string | null = null;
    const look = async (): Promise<{ at: number; samples: QueueSample[] }> => {
      trouble = null;
      const samples = await sampleQueues(platform, (error) => (trouble = (error as Error).message));
      return { at: performance.now(), samples };
    };
    let before = await look();
    do {
      await delay(seconds * 1_000, undefined, { signal: stopping.signal }).catch(() => undefined);
      const now = await look();
      show(withRates(now.samples, before.samples, (now.at - before.at) / 1_000), options);
      if (trouble !== null) console.error(`some figures are missing: ${String(trouble)}`);
      before = now;
    } while (options.watch && !stopping.signal.aborted);
  } finally {
    await platform.close();
  }
}

function show(figures: readonly QueueFigures[], { json, watch }: StreamsOptions): void {
  if (json) {
    const document = { at: new Date().toISOString(), queues: figures };
    console.log(watch ? JSON.stringify(document) : JSON.stringify(document, null, 2));
    return;
  }
  // Only a terminal can be written over; into a file one table follows the other.
  if (watch && process.stdout.isTTY) process.stdout.write('\u001b[H\u001b[2J');
  console.log(figuresTable(figures));
}

/** For people. */
export function figuresTable(figures: readonly QueueFigures[]): string {
  return table(
    ['queue', 'backlog', 'oldest', 'pending', 'waiting', 'dead', 'in outboxes', 'in/s', 'out/s'],
    figures.map((queue) => [
      queue.queue,
      String(queue.backlog),
      queue.backlog === 0 ? '–' : duration(queue.oldest_age_seconds),
      String(queue.pending),
      String(queue.waiting),
      queue.dead === null ? '?' : String(queue.dead),
      queue.outbox === null ? '?' : String(queue.outbox),
      queue.rate_in === null ? '–' : String(queue.rate_in),
      queue.rate_out === null ? '–' : String(queue.rate_out),
    ]),
  );
}

/** `12 s`, `5 min`, `3.2 h`, `2.0 d`: the unit in which it is easiest to take in. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${(seconds / 3_600).toFixed(1)} h`;
  return `${(seconds / 86_400).toFixed(1)} d`;
}
