import type { Redis } from 'ioredis';
import calculateSlot from 'cluster-key-slot';
import { hostOf, portOf, type ClusterTopology, type OpenNode } from './cluster-topology.js';
import { RedisUnavailableError } from './failures.js';
import { isLinkError } from './redis-connection.js';
import type { ConnectRedisOptions, RedisConnection, RedisRole } from './redis-connection.js';
import { ReplaceableConnection } from './replaceable-connection.js';

/** So often in a row one command may be sent elsewhere: while slots move, two nodes may point at each other for a moment. */
const MOST_HOPS = 6;
const HOP_PAUSE_MS = 50;

/**
 * A Redis Cluster: one replaceable link to each master that is used, each with the semantics of a single server, so that a half-open or dying
 * shard costs the others nothing. (The cluster client of ioredis is one object for all nodes: giving it up for one silent shard would make
 * everything in flight on the others doubtful, and it has no way to WAIT on the link that has just written.)
 *
 * MOVED and ASK are followed, because a node that answers so has done nothing. A master that dies leaves what was in flight doubtful; when another
 * one has its slots, the map says so (it is asked for at once and again) and the next command goes there.
 */
export class ClusterConnection implements RedisConnection {
  readonly name: string;
  readonly role: RedisRole;
  private readonly links = new Map<string, ReplaceableConnection>();
  /** Links that have never stood yet: the first command waits for them. */
  private readonly fresh = new Set<RedisConnection>();
  private readonly unwatch: () => void;
  private closed = false;

  constructor(
    readonly url: string,
    private readonly options: ConnectRedisOptions,
    private readonly topology: ClusterTopology,
    private readonly open: OpenNode,
  ) {
    this.name = options.name;
    this.role = options.role;
    this.unwatch = topology.watch(() => this.follow());
  }

  get client(): Redis {
    return this.anyNode().client;
  }

  get isReady(): boolean {
    return this.topology.isComplete && [...this.links.values()].every((link) => link.isReady);
  }

  async ready(timeoutMs = 10_000): Promise<void> {
    const end = performance.now() + timeoutMs;
    await this.topology.ready(timeoutMs);
    // What blocks reads one key: it opens the link to that node only.
    if (this.role === 'blocking') return;
    const nodes = this.nodes();
    await Promise.all(nodes.map((node) => node.ready(Math.max(1, end - performance.now()))));
    for (const node of nodes) this.fresh.delete(node);
  }

  async run<T>(command: (client: Redis) => Promise<T>, timeoutMs?: number): Promise<T> {
    return this.follows(() => this.anyNode(), null, command, timeoutMs);
  }

  async runOn<T>(key: string, command: (client: Redis) => Promise<T>, timeoutMs?: number): Promise<T> {
    return this.follows(() => this.nodeOf(key), calculateSlot(key), command, timeoutMs);
  }

  nodeOf(key: string): RedisConnection {
    const slot = calculateSlot(key);
    const address = this.topology.ownerOf(slot);
    if (address === undefined) {
      this.topology.refreshSoon();
      throw new RedisUnavailableError(`No node of the Redis Cluster is known for slot ${slot}.`);
    }
    return this.linkTo(address);
  }

  nodes(): readonly RedisConnection[] {
    return this.topology.masters.map((address) => this.linkTo(address));
  }

  noteFailure(client: Redis, error: unknown): void {
    for (const link of this.links.values()) if (link.client === client) link.noteFailure(client, error);
    if (isLinkError(error)) this.topology.refreshSoon();
  }

  replace(reason: string): void {
    for (const link of this.links.values()) link.replace(reason);
  }

  sibling(options: Partial<ConnectRedisOptions>): RedisConnection {
    return new ClusterConnection(this.url, { ...this.options, ...options }, this.topology, this.open);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.unwatch();
    await Promise.all([...this.links.values()].map((link) => link.close()));
  }

  /** Runs `command` where `find` says, then where the nodes say. */
  private async follows<T>(
    find: () => RedisConnection,
    slot: number | null,
    command: (client: Redis) => Promise<T>,
    timeoutMs?: number,
  ): Promise<T> {
    let asked: RedisConnection | null = null;
    let toldTo: RedisConnection | null = null;
    for (let hop = 0; ; hop++) {
      const node: RedisConnection = asked ?? toldTo ?? find();
      if (this.fresh.has(node)) await this.firstReady(node, timeoutMs);
      try {
        return await node.run(asked === null ? command : (client) => askingFirst(client, command), timeoutMs);
      } catch (error) {
        const redirect = redirectOf(error, hostOf(this.addressOf(node)));
        if (redirect === null || hop === MOST_HOPS) {
          if (redirect !== null || isLinkError(error)) this.topology.refreshSoon();
          if (redirect === null) throw error;
          throw new RedisUnavailableError('The nodes of the Redis Cluster point at each other.', { cause: error });
        }
        asked = redirect.ask ? this.linkTo(redirect.address) : null;
        toldTo = redirect.ask ? null : this.linkTo(redirect.address);
        if (!redirect.ask) this.topology.moved(slot ?? redirect.slot, redirect.address);
        if (hop > 0) await new Promise((resolve) => setTimeout(resolve, HOP_PAUSE_MS));
      }
    }
  }

  private async firstReady(node: RedisConnection, timeoutMs?: number): Promise<void> {
    try {
      await node.ready(timeoutMs ?? 2_000);
      this.fresh.delete(node);
    } catch (error) {
      this.topology.refreshSoon();
      throw error;
    }
  }

  private anyNode(): RedisConnection {
    const links = [...this.links.values()];
    const known = links.find((link) => link.isReady) ?? links[0];
    if (known !== undefined) return known;
    const address = this.topology.masters[0];
    if (address === undefined) throw new RedisUnavailableError('No node of the Redis Cluster has answered yet.');
    return this.linkTo(address);
  }

  private linkTo(address: string): ReplaceableConnection {
    let link = this.links.get(address);
    if (link !== undefined) return link;
    if (this.closed) throw new RedisUnavailableError(`The connection ${this.name} is closed.`);
    link = new ReplaceableConnection(`redis://${address}`, this.options, (settings) =>
      this.open(hostOf(address), portOf(address), settings),
    );
    this.links.set(address, link);
    this.fresh.add(link);
    return link;
  }

  private addressOf(node: RedisConnection): string {
    return node.url.slice('redis://'.length);
  }

  /** Gives up links to those that are no masters any more, and opens those to new ones. */
  private follow(): void {
    for (const [address, link] of this.links) {
      if (this.topology.masters.includes(address)) continue;
      this.links.delete(address);
      this.fresh.delete(link);
      void link.close();
    }
    if (this.role !== 'blocking' && !this.closed) this.nodes();
  }
}

/** ASKING counts for the very next command of its link: both are written in this turn. */
function askingFirst<T>(client: Redis, command: (client: Redis) => Promise<T>): Promise<T> {
  client.asking().catch(() => undefined);
  return command(client);
}

interface Redirect {
  readonly ask: boolean;
  readonly slot: number;
  readonly address: string;
}

/** `MOVED 3999 127.0.0.1:6381` or `ASK 3999 127.0.0.1:6381`; without a host it is the one that answered. */
function redirectOf(error: unknown, answeredBy: string): Redirect | null {
  if (!(error instanceof Error)) return null;
  const [, kind, slot, host, port] = /^(MOVED|ASK) (\d+) (.*):(\d+)$/.exec(error.message) ?? [];
  if (kind === undefined) return null;
  return { ask: kind === 'ASK', slot: Number(slot), address: `${host || answeredBy}:${port}` };
}

/** True when a node has done nothing and says who has the key. */
export function isRedirect(error: unknown): boolean {
  return redirectOf(error, '') !== null;
}
