import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PoisonMessageError } from '../failures.js';
import { LedgerError } from './ledger.js';
import type { LaneCall } from './faulty-broker.js';
import { QUEUE, Stage, thing } from './stage.js';
import type { Behaviour, Process } from './stage.js';
import { inMemoryWorld } from './world.js';

/** What can happen, in any order. `who` picks among the processes that live. */
type Happening =
  | { readonly what: 'publish'; readonly count: number }
  | { readonly what: 'start' | 'kill' | 'stop'; readonly who: number }
  | { readonly what: 'kill after commit'; readonly who: number }
  | { readonly what: 'lose replies'; readonly who: number; readonly call: LaneCall; readonly count: number }
  | { readonly what: 'database'; readonly away: boolean }
  | { readonly what: 'destroy group' }
  | { readonly what: 'time'; readonly ms: number };

const who = fc.nat(5);
const call = fc.constantFrom<LaneCall>('read', 'claimDue', 'recoverLost', 'renew', 'handBack', 'settle');
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ what: fc.constant('publish' as const), count: fc.integer({ min: 1, max: 12 }) }),
  },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 400 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constantFrom('start' as const, 'kill' as const, 'stop' as const), who }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('kill after commit' as const), who }) },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('lose replies' as const),
      who,
      call,
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('database' as const), away: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('destroy group' as const) }) },
);

/** Every tenth message is poison, every seventh upsets the database, every thirteenth fails once in each process. */
const behaviour = (): Behaviour => {
  const failedOnce = new Set<string>();
  return (message) => {
    const { n } = message.data;
    if (n % 10 === 9) throw new PoisonMessageError('bad', 'poison');
    if (n % 7 === 6) throw new LedgerError('data', 'value too long');
    if (n % 13 === 12 && !failedOnce.has(message.envelope.id)) {
      failedOnce.add(message.envelope.id);
      throw new TypeError('flaky');
    }
  };
};
const mayDie = (n: number): boolean => n % 10 === 9 || n % 7 === 6;

class Run {
  private readonly alive: Process[] = [];
  private databaseAway = false;
  published = 0;

  constructor(private readonly stage: Stage) {
    stage.ledger.trouble = () => {
      if (this.databaseAway) throw new LedgerError('infrastructure', 'away');
    };
  }

  async happen(event: Happening): Promise<void> {
    switch (event.what) {
      case 'publish': {
        const from = this.published;
        this.published += event.count;
        return this.stage.publish(Array.from({ length: event.count }, (_, i) => thing(from + i)));
      }
      case 'start':
        if (this.alive.length < 4) await this.start();
        return;
      case 'kill':
        return this.pick(event.who, (process) => process.broker.crash(), true);
      case 'stop':
        return this.pick(event.who, (process) => void process.consumer.stop(2_000), true);
      case 'kill after commit':
        this.stage.ledger.committed = async () => {
          this.stage.ledger.committed = () => undefined;
          await this.pick(event.who, (process) => process.broker.crash(), true);
        };
        return;
      case 'lose replies': {
        let left = event.count;
        return this.pick(event.who, (process) => {
          process.broker.fate = (name, reply) =>
            name === event.call && reply !== undefined && left-- > 0 ? 'lose' : 'pass';
        });
      }
      case 'database':
        this.databaseAway = event.away;
        return;
      case 'destroy group':
        return this.stage.world.destroyGroup(QUEUE);
      case 'time':
        return this.stage.world.pass(event.ms);
    }
  }

  async heal(): Promise<void> {
    this.databaseAway = false;
    this.stage.ledger.committed = () => undefined;
    await this.start();
    await this.stage.untilEmpty();
  }

  private async start(): Promise<void> {
    // The breaker has its own proof; here it would only stretch the runs.
    this.alive.push(await this.stage.process({ behaviour: behaviour(), settings: { breakerLimit: 50, batchSize: 8 } }));
  }

  private async pick(who: number, act: (process: Process) => unknown, gone = false): Promise<void> {
    if (this.alive.length === 0) return;
    const process = this.alive[who % this.alive.length]!;
    if (gone) this.alive.splice(this.alive.indexOf(process), 1);
    await act(process);
  }
}

describe('Any interleaving of reads, commits, deaths, lost replies and claims', () => {
  it('ends with every message applied exactly once or dead with a reason, and never both', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 5, maxLength: 40 }), fc.nat(), async (happenings, seed) => {
        const stage = new Stage(await inMemoryWorld(seed));
        const run = new Run(stage);
        for (const event of happenings) await run.happen(event);
        await run.heal();

        const dead = new Set(stage.ledger.dead.map(({ envelope }) => envelope!.id));
        for (let n = 0; n < run.published; n++) {
          const id = `message-${n}`;
          const effects = stage.ledger.effects.get(id) ?? 0;
          const verdict = { id, effects, dead: dead.has(id) };
          const healthy = { id, effects: 1, dead: false };
          const buried = { id, effects: 0, dead: true };
          // Only deaths of processes can bury a good message: its fifth delivery.
          if (mayDie(n)) expect(verdict).toEqual(buried);
          else if (dead.has(id)) {
            expect(verdict).toEqual(buried);
            expect(stage.ledger.dead.find(({ envelope }) => envelope!.id === id)!.deliveries).toBe(5);
          } else expect(verdict).toEqual(healthy);
        }
        expect(stage.ledger.effects.size + dead.size).toBe(run.published);
        await stage.end();
      }),
      { numRuns: Number(process.env['PATCHWATCH_PROPERTY_RUNS'] ?? 60), interruptAfterTimeLimit: 25_000 },
    );
  });
});
