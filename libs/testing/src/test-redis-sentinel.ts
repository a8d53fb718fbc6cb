import { Redis } from 'ioredis';
import { eventually } from './eventually.js';
import { QUICK_SYNC, testRedis } from './test-redis.js';
import type { TestRedis } from './test-redis.js';

/** One master, its replicas, and three sentinels that agree by two votes; all on loopback. */
export interface TestSentinel {
  /** `redis+sentinel://host:port,…/master` */
  readonly url: string;
  /** Servers in the order of their start; which one leads changes. */
  readonly servers: readonly TestRedis[];
  /** The server that the sentinels name now. */
  master(): Promise<TestRedis>;
  /** Resolves when the sentinels know every server but the master as a replica that follows it. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

const NAME = 'patchwatch';

/** @param replicas how many; a master is missed after half a second. */
export async function testSentinel(replicas = 1): Promise<TestSentinel> {
  const first = await testRedis({ args: QUICK_SYNC });
  const others = await Promise.all(
    Array.from({ length: replicas }, () =>
      testRedis({ args: [...QUICK_SYNC, '--replicaof', '127.0.0.1', String(first.port)] }),
    ),
  );
  const servers = [first, ...others];
  const sentinels = await Promise.all(
    [1, 2, 3].map(() =>
      testRedis({
        sentinel: [
          `sentinel monitor ${NAME} 127.0.0.1 ${first.port} 2`,
          `sentinel down-after-milliseconds ${NAME} 500`,
          `sentinel failover-timeout ${NAME} 3000`,
        ],
      }),
    ),
  );
  const ask = new Redis(sentinels[0]!.url, { maxRetriesPerRequest: 1 });
  ask.on('error', () => undefined);
  const told = async (what: 'replicas' | 'sentinels'): Promise<Record<string, string>[]> => {
    const rows = (await ask.call('SENTINEL', what, NAME)) as unknown[];
    return rows.map((row) => (Array.isArray(row) ? pairs(row as string[]) : (row as Record<string, string>)));
  };
  const running: TestSentinel = {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
    servers,
    master: async () => {
      const [, port] = (await ask.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)) as [string, string];
      return servers.find((server) => server.port === Number(port))!;
    },
    settled: async () => {
      await eventually(
        async () => {
          const rows = await told('replicas');
          return (
            rows.length === replicas &&
            rows.every((row) => row['master-link-status'] === 'ok' && row['flags'] === 'slave')
          );
        },
        { what: 'the sentinels to know all replicas online', timeoutMs: 30_000 },
      );
    },
    stop: async () => {
      ask.disconnect();
      // A master that is asked to end waits for its replicas, which end as well.
      await Promise.all([...sentinels, ...servers].map((server) => server.kill9().then(() => server.stop())));
    },
  };
  await running.settled();
  await eventually(async () => (await told('sentinels')).length === 2, { what: 'the sentinels to know each other' });
  return running;
}

function pairs(flat: readonly string[]): Record<string, string> {
  return Object.fromEntries(Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]));
}
