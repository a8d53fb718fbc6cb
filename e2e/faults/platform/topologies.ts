import { Cluster, Redis } from 'ioredis';
import { eventually, freePort, testRedis, type TestRedis } from '#libs/testing';

/** Streams on more than one Redis; ports of loopback. */
export interface Topology {
  /** As `PATCHWATCH_STREAMS_URL` takes it. */
  readonly url: string;
  readonly client: Redis | Cluster;
  readonly servers: readonly TestRedis[];
  stop(): Promise<void>;
}

const MASTER = 'patchwatch';

export interface SentinelTopology extends Topology {
  /** The server that leads, as the sentinels see it. */
  master(): Promise<TestRedis>;
}

/** A master with two replicas, watched by three sentinels who agree by two. */
export async function sentinelTopology(): Promise<SentinelTopology> {
  const master = await testRedis();
  const replicas = await Promise.all(
    [1, 2].map(() => testRedis({ args: ['--replicaof', '127.0.0.1', String(master.port)] })),
  );
  const servers = [master, ...replicas];
  const sentinels = await Promise.all(
    [1, 2, 3].map(() =>
      testRedis({
        sentinel: [
          `sentinel monitor ${MASTER} 127.0.0.1 ${master.port} 2`,
          `sentinel down-after-milliseconds ${MASTER} 1500`,
          `sentinel failover-timeout ${MASTER} 6000`,
          `sentinel parallel-syncs ${MASTER} 2`,
        ],
      }),
    ),
  );
  const nodes = sentinels.map(({ port }) => ({ host: '127.0.0.1', port }));
  const client = new Redis({
    sentinels: nodes,
    name: MASTER,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    commandTimeout: 5_000,
    retryStrategy: () => 200,
    sentinelRetryStrategy: () => 200,
  });
  client.on('error', () => undefined);
  const watcher = new Redis(sentinels[0]!.port, '127.0.0.1', { commandTimeout: 5_000 });
  watcher.on('error', () => undefined);
  await eventually(
    async () => {
      const seen = (await watcher.call('SENTINEL', 'REPLICAS', MASTER)) as unknown[];
      const others = (await watcher.call('SENTINEL', 'SENTINELS', MASTER)) as unknown[];
      return seen.length === 2 && others.length === 2;
    },
    { what: 'the sentinels to know each other and the replicas', timeoutMs: 30_000 },
  );
  return {
    url: `redis+sentinel://${nodes.map(({ host, port }) => `${host}:${port}`).join(',')}/${MASTER}`,
    client,
    servers,
    master: async () => {
      const [, port] = (await watcher.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER)) as [string, string];
      return servers.find((server) => server.port === Number(port))!;
    },
    stop: async () => {
      client.disconnect();
      watcher.disconnect();
      await Promise.all([...sentinels, ...servers].map((server) => server.stop()));
    },
  };
}

const SLOTS = 16_384;

export interface ClusterTopology extends Topology {
  /** Moves the slot of `key` with all that is in it to the next node, while clients go on. */
  move(key: string): Promise<void>;
}

/** Three nodes without replicas, a third of the slots each. */
export async function clusterTopology(): Promise<ClusterTopology> {
  // Left to itself a node takes the port 10,000 above its own for the others, be it free or not.
  const busPorts = [await freePort(), await freePort(), await freePort()];
  const servers = await Promise.all(
    busPorts.map((bus) =>
      testRedis({
        args: ['--cluster-enabled', 'yes', '--cluster-node-timeout', '3000', '--cluster-port', String(bus)],
      }),
    ),
  );
  const nodes = servers.map(({ port }) => new Redis(port, '127.0.0.1', { commandTimeout: 15_000 }));
  const ids: string[] = [];
  for (const [i, node] of nodes.entries()) {
    node.on('error', () => undefined);
    await node.cluster('ADDSLOTSRANGE', Math.ceil((i * SLOTS) / 3), Math.ceil(((i + 1) * SLOTS) / 3) - 1);
    ids.push(String(await node.call('CLUSTER', 'MYID')));
    if (i > 0) await node.call('CLUSTER', 'MEET', '127.0.0.1', String(servers[0]!.port), String(busPorts[0]));
  }
  await eventually(
    async () => {
      const states = await Promise.all(nodes.map((node) => node.cluster('INFO')));
      return states.every((state) => state.includes('cluster_state:ok') && state.includes('cluster_known_nodes:3'));
    },
    { what: 'the cluster to be whole', timeoutMs: 30_000 },
  );
  const client = new Cluster(
    servers.map(({ port }) => ({ host: '127.0.0.1', port })),
    { redisOptions: { commandTimeout: 5_000 }, clusterRetryStrategy: () => 200 },
  );
  client.on('error', () => undefined);

  const ownerOf = async (slot: number): Promise<number> => {
    const ranges = (await nodes[0]!.cluster('SLOTS')) as unknown as [number, number, [string, number, string]][];
    const range = ranges.find(([first, last]) => first <= slot && slot <= last)!;
    return ids.indexOf(String(range[2][2]));
  };
  return {
    url: `redis+cluster://${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    client,
    servers,
    move: async (key) => {
      const slot = Number(await nodes[0]!.cluster('KEYSLOT', key));
      const from = await ownerOf(slot);
      const to = (from + 1) % 3;
      await nodes[to]!.call('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', ids[from]!);
      await nodes[from]!.call('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', ids[to]!);
      for (;;) {
        const keys = (await nodes[from]!.call('CLUSTER', 'GETKEYSINSLOT', String(slot), '100')) as string[];
        if (keys.length === 0) break;
        await nodes[from]!.call(
          'MIGRATE',
          '127.0.0.1',
          String(servers[to]!.port),
          '',
          '0',
          '10000',
          'REPLACE',
          'KEYS',
          ...keys,
        );
      }
      for (const index of [to, from, 3 - to - from])
        await nodes[index]!.call('CLUSTER', 'SETSLOT', String(slot), 'NODE', ids[to]!);
    },
    stop: async () => {
      client.disconnect();
      for (const node of nodes) node.disconnect();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}
