import { Redis } from 'ioredis';
import type { Instance } from '../platform/instance.js';
import type { Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';

/** A question's deadline, and what the gateway may take besides. */
const DEADLINE_MS = 5_000;
const GRACE_MS = 2_500;
const MIB = 1024 * 1024;

export const questions: Scenario = {
  number: 20,
  name: 'questions',
  promise:
    'RPC: server or gateway killed, a long pause, many expired requests: every call ends by its deadline; nothing leaks',
  async run(stage) {
    const { platform } = stage;
    const load = stage.load({
      sites: await stage.sites(stage.scale(60, 20)),
      lanes: 8,
      perSecond: stage.scale(150, 50),
    });
    // On a new platform a module is not there before the first push that has it is read.
    await stage.until('what is asked for to be there', () =>
      platform.client.request('GET', '/api/v1/modules/token').then(
        () => true,
        () => false,
      ),
    );
    // The platform may be older than its token's life; a new one outlives the scenario.
    const asking = new Askers(stage, await platform.client.newAccessToken());
    await stage.pass(3_000);
    const keysBefore = await rpcKeys(stage);
    const [gateway, otherGateway] = platform.fleet('gateway');
    const memoryBefore = await gateway!.memory();
    for (let round = 0; round < stage.scale(3, 1); round++) {
      await killed(stage, platform.fleet('reporting')[0]!);
      await killed(stage, platform.fleet('ingest')[0]!);
      await killed(stage, otherGateway!);
      await longPause(stage, platform.fleet('reporting')[0]!);
    }
    await asking.stop();
    await load.stop();
    const answered = [...asking.answers].map(([status, count]) => `${count} × ${status}`).join(', ');
    stage.check('questions were answered', (asking.answers.get('200') ?? 0) > 50, answered);
    stage.check(
      'every call ends by its deadline',
      asking.slowest <= DEADLINE_MS + GRACE_MS,
      `${Math.round(asking.slowest)} ms at most, of ${answered}`,
    );
    const others = [...asking.answers.keys()].filter((status) => !['200', '503', '504', 'none'].includes(status));
    stage.check('only 200, 503 and 504', others.length === 0, others);
    await stage.until(
      'reply streams of gateways that are gone to expire',
      async () => (await rpcKeys(stage)) <= keysBefore + 1,
      120_000,
    );
    const [requests] = await Promise.all([pendingRequests(stage)]);
    stage.check('no request is kept', requests < 1_000, `${requests} in the request streams`);
    const growth = (await gateway!.memory()) - memoryBefore;
    stage.check('the gateway keeps nothing', growth < 120 * MIB, `${Math.round(growth / MIB)} MiB more`);
  },
};

async function killed(stage: Stage, instance: Instance): Promise<void> {
  instance.process.signal('SIGKILL');
  await stage.pass(1_000);
  await instance.ready();
  await stage.pass(1_000);
}

async function longPause(stage: Stage, instance: Instance): Promise<void> {
  instance.process.signal('SIGSTOP');
  await stage.pass(8_000);
  instance.process.signal('SIGCONT');
  await stage.pass(2_000);
}

/** People who read all the time, on the first gateway mostly. */
class Askers {
  readonly answers = new Map<string, number>();
  slowest = 0;
  private running = true;
  private readonly lanes: Promise<void>[];

  constructor(
    private readonly stage: Stage,
    private readonly token: string,
  ) {
    this.lanes = Array.from({ length: 24 }, (_, i) => this.ask(i));
  }

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.lanes);
  }

  private async ask(lane: number): Promise<void> {
    const { gateways } = this.stage.platform;
    const paths = [
      '/api/v1/exposures?per_page=10',
      '/api/v1/dashboard/overview',
      '/api/v1/sites?per_page=10',
      '/api/v1/modules/token',
    ];
    while (this.running) {
      const gateway = gateways[lane % 4 === 3 ? gateways.length - 1 : 0]!;
      const started = performance.now();
      const status = await fetch(`${gateway}${paths[lane % paths.length]}`, {
        headers: { authorization: `Bearer ${this.token}` },
        signal: AbortSignal.timeout(60_000),
      }).then(
        async (answer) => {
          await answer.arrayBuffer();
          return String(answer.status);
        },
        () => 'none',
      );
      this.slowest = Math.max(this.slowest, performance.now() - started);
      this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
      await this.stage.pass(status === '200' ? 50 : 250);
    }
  }
}

async function rpcKeys(stage: Stage): Promise<number> {
  return withCache(stage, async (cache) => (await cache.keys('pw:rpc:*')).length);
}

async function pendingRequests(stage: Stage): Promise<number> {
  return withCache(stage, async (cache) => {
    const lengths = await Promise.all(
      ['ingest', 'reporting', 'catalog'].map((service) => cache.xlen(`pw:rpc:{${service}}`)),
    );
    return lengths.reduce((sum, length) => sum + length, 0);
  });
}

async function withCache<T>(stage: Stage, work: (cache: Redis) => Promise<T>): Promise<T> {
  const cache = new Redis(stage.platform.cache.url);
  try {
    return await work(cache);
  } finally {
    cache.disconnect();
  }
}
