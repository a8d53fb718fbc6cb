import { Redis } from 'ioredis';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { QUICK_SYNC, testRedis } from './test-redis.js';
import type { TestRedis } from './test-redis.js';

const SLOTS = 16_384;

export interface TestClusterNode extends TestRedis {
  readonly id: string;
  readonly busPort: number;
}

/** A Redis Cluster on loopback. */
export interface TestCluster {
  /** `redis+cluster://host:port,…` */
  readonly url: string;
  /** One a shard, as first made; a replica may have taken over since. */
  readonly masters: readonly TestClusterNode[];
  /** Of the master with the same index; empty without replicas. */
  readonly replicas: readonly TestClusterNode[];
  /** A plain client to `node`. */
  client(node: TestRedis): Redis;
  /** Moves one slot with its keys, as resharding does, key by key while clients use them. */
  moveSlot(slot: number, to: TestClusterNode): Promise<void>;
  /** Resolves when every node that runs says that the cluster is well. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** @param shards masters, with an even share of the slots each; @param withReplicas one for each of them */
export async function testCluster(shards = 3, withReplicas = false): Promise<TestCluster> {
  const count = withReplicas ? shards * 2 : shards;
  const clients = new Map<number, Redis>();
  const client = (node: TestRedis): Redis => {
    let known = clients.get(node.port);
    if (known === undefined) {
      known = new Redis(node.url, { maxRetriesPerRequest: 1, retryStrategy: () => 100 });
      known.on('error', () => undefined);
      clients.set(node.port, known);
    }
    return known;
  };
  const nodes = await Promise.all(
    Array.from({ length: count }, async (): Promise<TestClusterNode> => {
      const busPort = await freePort();
      const server = await testRedis({
        args: [
          ...['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--cluster-port', String(busPort)],
          ...QUICK_SYNC,
        ],
      });
      return { ...server, busPort, id: String(await client(server).cluster('MYID')) };
    }),
  );
  const masters = nodes.slice(0, shards);
  const replicas = nodes.slice(shards);
  const share = (i: number): number => Math.round((i * SLOTS) / shards);
  await Promise.all(
    masters.map(async (node, i) => {
      await client(node).cluster('SET-CONFIG-EPOCH', i + 1);
      await client(node).cluster('ADDSLOTSRANGE', share(i), share(i + 1) - 1);
    }),
  );
  // Everybody to everybody: by gossip alone it would take seconds until all know all.
  for (const [i, node] of nodes.entries()) {
    for (const other of nodes.slice(i + 1))
      await client(node).call('CLUSTER', 'MEET', '127.0.0.1', String(other.port), String(other.busPort));
  }

  const running = async (): Promise<TestClusterNode[]> => {
    const answers = await Promise.allSettled(nodes.map((node) => client(node).ping()));
    return nodes.filter((_, i) => answers[i]!.status === 'fulfilled');
  };
  const settled = async (): Promise<void> => {
    await eventually(
      async () => {
        const infos = await Promise.all((await running()).map((node) => client(node).cluster('INFO')));
        return infos.every(
          (info) => /cluster_state:ok/.test(String(info)) && new RegExp(`known_nodes:${count}`).test(String(info)),
        );
      },
      { what: 'the cluster to be well', timeoutMs: 20_000 },
    );
  };
  await settled();
  await Promise.all(
    replicas.map(async (node, i) => {
      await client(node).cluster('REPLICATE', masters[i]!.id);
      await eventually(async () => /master_link_status:up/.test(await client(node).info('replication')), {
        what: 'a replica to follow its master',
      });
    }),
  );

  const ownerOf = async (slot: number): Promise<TestClusterNode> => {
    const ranges = (await client(masters[0]!).cluster('SLOTS')) as unknown as [number, number, [string, number]][];
    const [, , [, port]] = ranges.find(([first, last]) => first <= slot && slot <= last)!;
    return nodes.find((node) => node.port === port)!;
  };
  return {
    url: `redis+cluster://${masters.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    masters,
    replicas,
    client,
    settled,
    moveSlot: async (slot, to) => {
      const from = await ownerOf(slot);
      await client(to).cluster('SETSLOT', slot, 'IMPORTING', from.id);
      await client(from).cluster('SETSLOT', slot, 'MIGRATING', to.id);
      for (;;) {
        const keys = await client(from).cluster('GETKEYSINSLOT', slot, 10);
        if (keys.length === 0) break;
        for (const key of keys) await client(from).migrate('127.0.0.1', to.port, key, 0, 5_000);
      }
      for (const node of [to, from]) await client(node).cluster('SETSLOT', slot, 'NODE', to.id);
    },
    stop: async () => {
      for (const known of clients.values()) known.disconnect();
      // A master that is asked to end waits for its replicas, which end as well.
      await Promise.all(nodes.map((node) => node.kill9().then(() => node.stop())));
    },
  };
}
