import { readFile } from 'node:fs/promises';
import { Redis } from 'ioredis';
import type { System } from '../../../e2e/harness/system.js';

/** Milliseconds that a process of this machine has used the CPU for; 0: it cannot be seen. */
async function cpuOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return 0;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Clock ticks of 10 ms: user and system.
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Ticks since the machine started: those its host gave to others, and all. */
async function ticks(): Promise<{ stolen: number; all: number }> {
  const [, ...fields] = (await readFile('/proc/stat', 'utf8').catch(() => 'cpu 0')).split('\n', 1)[0]!.split(/\s+/);
  const counts = fields.slice(0, 8).map(Number);
  return { stolen: counts[7] ?? 0, all: counts.reduce((sum, count) => sum + count, 0) };
}

async function pidOf(url: string): Promise<number> {
  const admin = new Redis(url);
  const [, pid] = /process_id:(\d+)/.exec(await admin.info('server')) ?? [];
  await admin.quit();
  return Number(pid);
}

/** What reads cost everybody who takes part in them, in CPU: how long they took says little on a machine that others use, too. */
export class CpuOfReads {
  private readonly used = new Map<string, number>();

  /** @param asks pid of the process that sends the requests */
  constructor(
    private readonly system: System,
    private readonly asks: number,
  ) {}

  /** Counts what is used while `reads` runs. @returns what comes of it, and what share of the machine's time its host gave to others meanwhile, 0 to 1 */
  async during<T>(reads: () => Promise<T>): Promise<{ readonly result: T; readonly taken: number }> {
    const before = await this.soFar();
    const begun = await ticks();
    const result = await reads();
    const ended = await ticks();
    for (const [name, ms] of await this.soFar())
      this.used.set(name, (this.used.get(name) ?? 0) + ms - (before.get(name) ?? 0));
    return { result, taken: (ended.stolen - begun.stolen) / Math.max(1, ended.all - begun.all) };
  }

  /** @param reads how many there were */
  summary(reads: number): string {
    const each = [...this.used].map(([name, ms]) => [name, ms / reads] as const).filter(([, ms]) => ms >= 0.01);
    const sum = each.reduce((total, [, ms]) => total + ms, 0);
    return `CPU of a read on average: ${sum.toFixed(2)} ms: ${each.map(([name, ms]) => `${name} ${ms.toFixed(2)}`).join(', ')}`;
  }

  private async soFar(): Promise<Map<string, number>> {
    const { services, redis, cache } = this.system;
    const backends = await this.system.query<{ pid: number; name: string }>(
      `SELECT pid, 'Postgres for ' || application_name AS name FROM pg_stat_activity WHERE datname = current_database()`,
    );
    const processes: [string, number][] = [
      ['who asks', this.asks],
      ...Object.entries(services).map(([name, { pid }]): [string, number] => [name, pid]),
      ['Redis for messages', await pidOf(redis.url)],
      ['Redis for the cache', await pidOf(cache.url)],
      ...backends.map(({ pid, name }): [string, number] => [name, pid]),
    ];
    const sums = new Map<string, number>();
    for (const [name, pid] of processes) sums.set(name, (sums.get(name) ?? 0) + (await cpuOf(pid)));
    return sums;
  }
}
