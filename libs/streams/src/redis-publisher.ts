import type { Redis } from 'ioredis';
import type { Admission, AdmissionGate } from './admission.js';
import { isRedirect } from './cluster-connection.js';
import { toFields } from './entry-codec.js';
import type { Envelope } from './envelope.js';
import { AdmissionClosedError, DoubtfulPublishError } from './failures.js';
import { LinkPulse } from './link-pulse.js';
import { makeGroup } from './make-group.js';
import { silentLog } from './observer.js';
import type { StreamsLog, StreamsObserver } from './observer.js';
import { streamOf } from './one-write.js';
import { PendingCalls, SentOn } from './pending-calls.js';
import type { PendingCall } from './pending-calls.js';
import type { Publisher } from './ports.js';
import { publishFailure } from './publish-failure.js';
import type { RedisConnection } from './redis-connection.js';
import { ReplicaBarrier } from './replica-barrier.js';
import { partitionOf, streamKey } from './stream-key.js';

export interface RedisPublisherOptions {
  /** Where the streams are. The publisher opens a sibling of its own, so that nothing else waits in its line. */
  readonly connection: RedisConnection;
  /** Number of partitions of a queue, by its name; default 1 for every queue. */
  readonly partitionsOf?: (queue: string) => number;
  /** ms until a publish without a durable answer is doubtful; default 2,000. */
  readonly timeoutMs?: number;
  /** Without it everything is admitted. The publisher reads its last sample only; start and stop it yourself. */
  readonly admission?: AdmissionGate;
  /** Replicas of the stream's server that must have the entry too (WAIT) before publish resolves; default 0. */
  readonly replicas?: number;
  readonly observer?: StreamsObserver;
  readonly log?: StreamsLog;
}

const OPEN: Admission = { level: 'open', retryAfterSeconds: 0, reason: '' };

/** One partition of a queue. */
interface Target {
  readonly key: string;
  readonly partition: number;
  /** This process has added to it: should it be gone, something was lost. */
  seen: boolean;
}

/**
 * Appends messages with `XADD NOMKSTREAM` and resolves when Redis has answered, which with `appendfsync always` means
 * that the entry is on the disk.
 *
 * It is the hot path of the gateway, hence: no key is built twice, the calls of one turn of the event loop leave in one
 * write (the socket is corked until its end), one timer watches the oldest call instead of one timer each, and admission
 * is a property read.
 *
 * Error branches: NIL → stream and group are gone (FLUSHALL, DEL): the group is created at 0, told, and the entry
 * added again. OOM, a failed disk (MISCONF), too few replicas (NOREPLICAS) → nothing was kept: AdmissionClosedError `hard`. MOVED, ASK → nothing
 * was done: added where the cluster says. No answer in time, the link broke, a master that was demoted, replicas that do not confirm →
 * DoubtfulPublishError: the entry may have been kept; who publishes it again with the same id does no harm.
 */
export class RedisPublisher implements Publisher {
  private readonly connection: RedisConnection;
  private readonly timeoutMs: number;
  private readonly targets = new Map<string, Target[]>();
  private readonly replicas: ReplicaBarrier | undefined;
  private readonly pending: PendingCalls;
  private readonly pulse: LinkPulse;
  /** The one corked last; with several shards they take turns, and corking a socket twice does no harm. */
  private corked: Redis | null = null;
  private wasReady = false;

  constructor(private readonly options: RedisPublisherOptions) {
    this.timeoutMs = options.timeoutMs ?? 2_000;
    this.pending = new PendingCalls(this.timeoutMs);
    this.connection = options.connection.sibling({
      name: `${options.connection.name}:publish`,
      role: 'streams',
      // Bounded by PendingCalls.
      commandTimeoutMs: 0,
    });
    this.pulse = new LinkPulse(this.connection, options.replicas ?? 0);
    if (options.replicas) this.replicas = new ReplicaBarrier(options.replicas, this.timeoutMs);
  }

  /** Resolves when messages can be sent. @throws RedisUnavailableError after `timeoutMs` (default 10,000). */
  async ready(timeoutMs?: number): Promise<void> {
    await this.connection.ready(timeoutMs);
    this.pulse.start();
  }

  get isReady(): boolean {
    return this.connection.isReady;
  }

  /** Asks the servers on the publisher's own links: red when one does not answer. */
  async health(): Promise<{ readonly ok: boolean; readonly detail: string }> {
    await this.pulse.ask();
    return this.pulse.health();
  }

  /** The queue's admission as last sampled; costs nothing. `soft`: shed what can wait; `hard`: publish would throw. */
  admission(queue: string): Admission {
    return this.options.admission === undefined ? OPEN : this.options.admission.of(queue);
  }

  publish(queue: string, envelopes: readonly Envelope[]): Promise<void> {
    const admission = this.admission(queue);
    if (admission.level === 'hard') {
      return Promise.reject(
        new AdmissionClosedError('hard', admission.retryAfterSeconds, `${queue} is closed: ${admission.reason}`),
      );
    }
    if (envelopes.length === 0) return Promise.resolve();
    if (!this.wasReady) return this.whenFirstReady().then(() => this.publish(queue, envelopes));
    return new Promise<void>((resolve, reject) => {
      const call = this.pending.begin(reject);
      const targets = this.targetsOf(queue);
      const work =
        envelopes.length === 1
          ? this.add(call, queue, targets, envelopes[0]!)
          : this.addSeveral(call, queue, targets, envelopes);
      work.then(
        () => {
          if (call.settled) return;
          call.settled = true;
          this.options.observer?.published?.(queue, envelopes.length);
          resolve();
        },
        (error: unknown) => {
          if (call.settled) return;
          call.settled = true;
          reject(publishFailure(error, queue));
        },
      );
    });
  }

  /** Only the first connection is waited for: later, a link that is down fails at once and callers do not pile up. */
  private async whenFirstReady(): Promise<void> {
    try {
      await this.ready(this.timeoutMs);
      this.wasReady = true;
    } catch (cause) {
      throw new DoubtfulPublishError('Redis has never answered yet; nothing was sent.', { cause });
    }
  }

  /** Waits for what is in flight (each call is bounded), then closes its own link. */
  async close(): Promise<void> {
    await this.pending.drained();
    this.pulse.stop();
    await this.connection.close();
  }

  /** One entry, on the link of the server that has the partition; everything before the first `await` happens in the caller's turn. */
  private async add(sent: SentOn, queue: string, targets: readonly Target[], envelope: Envelope): Promise<void> {
    const target = targets.length === 1 ? targets[0]! : targets[partitionOf(envelope.key, targets.length)]!;
    const node = this.connection.nodeOf(target.key);
    // A link of a cluster that has just been found: sent now it would fail.
    if (node !== this.connection && !node.isReady) return this.addPatiently(queue, target, envelope);
    const { client } = node;
    sent.node = node;
    sent.client = client;
    this.cork(client);
    let id: string | null;
    try {
      const [factsName, facts, bodyName, body] = toFields(envelope);
      const added = client.xadd(target.key, 'NOMKSTREAM', '*', factsName, facts, bodyName, body);
      const kept = this.replicas?.after(client);
      id = await added;
      if (kept !== undefined && id !== null) await kept;
      sent.answered = true;
    } catch (error) {
      sent.answered = true;
      if (isRedirect(error)) return this.addPatiently(queue, target, envelope);
      this.connection.noteFailure(client, error);
      throw error;
    }
    if (id === null) return this.addAgain(queue, target, envelope);
    target.seen = true;
  }

  private addSeveral(
    call: PendingCall,
    queue: string,
    targets: readonly Target[],
    envelopes: readonly Envelope[],
  ): Promise<unknown> {
    const sent = envelopes.map(() => new SentOn());
    call.several = sent;
    return Promise.all(envelopes.map((envelope, i) => this.add(sent[i]!, queue, targets, envelope)));
  }

  /** NIL was the answer: it was not kept. Bounded: somebody may be deleting the stream again and again. */
  private async addAgain(queue: string, target: Target, envelope: Envelope): Promise<void> {
    const { observer, log = silentLog } = this.options;
    const { key, partition } = target;
    for (let attempt = 0; attempt < 5; attempt++) {
      const cause = await makeGroup(this.connection, key, target.seen, this.timeoutMs);
      // null: somebody else has made it meanwhile, and says so; at the first start that is one of the messages beside this.
      if (target.seen && cause !== null)
        log.error({ queue, partition, cause }, 'a queue was gone when it was published to; what was in it is lost');
      target.seen = false;
      if (cause !== null) observer?.groupCreated?.(queue, partition, 'publisher', cause);
      if (await this.added(target, envelope)) return;
    }
    throw new DoubtfulPublishError(`The stream ${key} vanishes as soon as it is created.`);
  }

  /** Follows the cluster to whoever has the stream. */
  private async addPatiently(queue: string, target: Target, envelope: Envelope): Promise<void> {
    if (!(await this.added(target, envelope))) await this.addAgain(queue, target, envelope);
  }

  private async added(target: Target, envelope: Envelope): Promise<boolean> {
    const fields = toFields(envelope);
    const add = (client: Redis): Promise<string | null> =>
      client.xadd(target.key, 'NOMKSTREAM', '*', ...fields).then(async (id) => {
        if (id !== null) await this.replicas?.after(client);
        return id;
      });
    if ((await this.connection.runOn(target.key, add, this.timeoutMs)) === null) return false;
    target.seen = true;
    return true;
  }

  private targetsOf(queue: string): Target[] {
    let targets = this.targets.get(queue);
    if (targets === undefined) {
      const partitions = Math.max(1, this.options.partitionsOf?.(queue) ?? 1);
      targets = Array.from({ length: partitions }, (_, partition) => ({
        key: streamKey(queue, partition),
        partition,
        seen: false,
      }));
      this.targets.set(queue, targets);
    }
    return targets;
  }

  /** Gathers the writes of this turn of the event loop: one system call instead of one a message. */
  private cork(client: Redis): void {
    if (client === this.corked) return;
    const stream = streamOf(client);
    if (stream === null) return;
    this.corked = client;
    stream.cork();
    setImmediate(() => {
      this.corked = null;
      stream.uncork();
    });
  }
}
