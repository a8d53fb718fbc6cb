import type { Broker, StreamLane } from '../broker.js';
import type { Envelope } from '../envelope.js';
import { RedisUnavailableError } from '../failures.js';

export type LaneCall = 'read' | 'claimDue' | 'recoverLost' | 'renew' | 'handBack' | 'settle' | 'leave';

/** What happens to one call: it passes; it never reaches the broker; it is carried out and its reply is lost. */
export type Fate = 'pass' | 'refuse' | 'lose';

const CALLS: readonly LaneCall[] = ['read', 'claimDue', 'recoverLost', 'renew', 'handBack', 'settle', 'leave'];

/** A broker as one process sees it: its replies can be lost and the process can die. */
export class FaultyBroker implements Broker {
  private readonly lanes: StreamLane[] = [];
  /** A dead process does nothing any more: neither here nor in its handlers. */
  dead = false;
  /** Decides the fate of each call; default: all pass. */
  fate: (call: LaneCall, reply: unknown) => Fate = () => 'pass';
  /** Called before each call; a promise it returns holds the call up. */
  before: (call: LaneCall) => Promise<void> | void = () => undefined;

  constructor(private readonly inner: Broker) {}

  publish(queue: string, envelopes: readonly Envelope[]): Promise<void> {
    return this.inner.publish(queue, envelopes);
  }

  open(queue: string, partition: number, consumer: string): StreamLane {
    const lane = this.inner.open(queue, partition, consumer);
    this.lanes.push(lane);
    return new Proxy(lane, {
      get: (target, name, receiver) => {
        const member: unknown = Reflect.get(target, name, receiver);
        if (typeof member !== 'function') return member;
        const call = member.bind(target) as (...args: unknown[]) => unknown;
        if (!CALLS.includes(name as LaneCall)) return call;
        return (...args: unknown[]) => this.pass(name as LaneCall, () => call(...args) as Promise<unknown>);
      },
    });
  }

  /** kill -9: nothing of this process happens any more, what it awaits never comes. */
  async crash(): Promise<void> {
    this.dead = true;
    await Promise.all(this.lanes.map((lane) => lane.close()));
  }

  private async pass(call: LaneCall, run: () => Promise<unknown>): Promise<unknown> {
    await this.before(call);
    if (this.dead) return never();
    if (this.fate(call, undefined) === 'refuse') throw new RedisUnavailableError(`${call}: refused by the test`);
    let reply: unknown;
    try {
      reply = await run();
    } catch (error) {
      if (this.dead) return never();
      throw error;
    }
    if (this.dead) return never();
    if (this.fate(call, reply) === 'lose') throw new RedisUnavailableError(`${call}: reply lost by the test`);
    return reply;
  }
}

export function never(): Promise<never> {
  return new Promise(() => undefined);
}
