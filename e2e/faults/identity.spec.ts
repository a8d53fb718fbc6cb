import { describe, expect, it } from '@jest/globals';
import { balanceOf, brokenIdentities, type Facts, type HistoryFact, type ReceiptFact } from './identity.js';

/** The checker itself, on made-up ledgers: a check that cannot fail would prove nothing. */
const receipt = (pushId: string, sequence: number, more: Partial<ReceiptFact> = {}): ReceiptFact => ({
  pushId,
  siteId: 1,
  state: 'applied',
  reason: 'changed',
  epoch: 1,
  sequence,
  changes: 1,
  hasPayload: true,
  ...more,
});

const stretch = (sequence: number, end: number | null): HistoryFact => ({
  siteId: 1,
  module: 'token',
  epoch: 1,
  sequence,
  validFrom: sequence * 1_000,
  validTo: end === null ? null : end * 1_000,
  endEpoch: end === null ? null : 1,
  endSequence: end,
});

/** Two pushes applied, one dead, one sent twice and doubtful at first: all in order. */
const sound: Facts = {
  accepted: ['a', 'b', 'c'],
  doubtful: ['b', 'd'],
  receipts: [receipt('a', 1), receipt('b', 2)],
  dead: [{ id: 1, pushId: 'c', code: 'invalid_json' }],
  states: [{ siteId: 1, epoch: 1, sequence: 2 }],
  history: [stretch(1, 2), stretch(2, null)],
  effects: [{ event: 'inventory-changed 1/1/1', messages: 1, effects: 1 }],
  streams: [{ stream: 'ingest.pushes.0', length: 0, pending: 0, liveConsumers: 2, processes: 2 }],
  outbox: 0,
  named: [],
};

const brokenBy = (change: Partial<Facts>): string[] =>
  [...new Set(brokenIdentities({ ...sound, ...change }).map(({ identity }) => identity))].sort();

describe('the accounting identity', () => {
  it('holds for a ledger that is in order', () => {
    expect(brokenIdentities(sound)).toEqual([]);
    expect(balanceOf(sound)).toEqual({ accepted: 3, doubtful: 2, receipts: 2, dead: 1, lost: 0, invented: 0 });
  });

  it('holds for a doubtful push that arrived all the same', () => {
    const receipts = [
      ...sound.receipts,
      receipt('d', 1, { state: 'duplicate', reason: 'already_applied', changes: 0 }),
    ];
    expect(brokenBy({ receipts })).toEqual([]);
  });

  it.each<[string, string[], Partial<Facts>]>([
    ['an accepted push without an end', ['I1'], { accepted: ['a', 'b', 'c', 'e'] }],
    ['a push that was applied and buried', ['I2'], { dead: [...sound.dead, { id: 2, pushId: 'a', code: 'x' }] }],
    ['a push with two receipts', ['I2'], { receipts: [...sound.receipts, receipt('b', 2)] }],
    ['a push that was buried twice', ['I2'], { dead: [...sound.dead, { id: 2, pushId: 'c', code: 'invalid_json' }] }],
    ['a receipt of a push that nobody sent', ['I3'], { accepted: ['a', 'c'], doubtful: [] }],
    ['a letter of a push that nobody sent', ['I3'], { dead: [...sound.dead, { id: 2, pushId: 'x', code: 'y' }] }],
    ['a site that stands at an older push', ['I4'], { states: [{ siteId: 1, epoch: 1, sequence: 1 }] }],
    ['a site that stands nowhere', ['I4'], { states: [] }],
    ['an applied push that left no history', ['I5'], { history: [stretch(2, null)] }],
    ['history that no push brought', ['I5'], { history: [stretch(1, 2), stretch(2, 3), stretch(3, null)] }],
    ['history that overlaps', ['I5'], { history: [{ ...stretch(1, 2), validTo: 9_000 }, stretch(2, null)] }],
    [
      'history that lasts although it was followed',
      ['I5'],
      { history: [{ ...stretch(1, 2), validTo: null }, stretch(2, null)] },
    ],
    ['an event told by two messages', ['I6'], { effects: [{ event: 'e', messages: 2, effects: 1 }] }],
    ['an event without effect', ['I6'], { effects: [{ event: 'e', messages: 1, effects: 0 }] }],
    ['an event with two effects', ['I6'], { effects: [{ event: 'e', messages: 1, effects: 2 }] }],
    ['an entry left in a stream', ['I7'], { streams: [{ ...sound.streams[0]!, length: 1 }] }],
    ['an entry that is pending', ['I7'], { streams: [{ ...sound.streams[0]!, pending: 1 }] }],
    ['more consumers than processes', ['I7'], { streams: [{ ...sound.streams[0]!, liveConsumers: 3 }] }],
    ['a payload that is gone', ['I7'], { receipts: [receipt('a', 1), receipt('b', 2, { hasPayload: false })] }],
    ['an event left in an outbox', ['I7'], { outbox: 1 }],
  ])('is broken by %s', (_, identities, change) => {
    expect(brokenBy(change)).toEqual(identities);
  });

  it('excuses what a Redis that was emptied on purpose lost, when it is named, and only that', () => {
    const accepted = ['a', 'b', 'c', 'e', 'f'];
    expect(brokenBy({ accepted, named: ['e', 'f'] })).toEqual([]);
    expect(brokenIdentities({ ...sound, accepted, named: ['e'] })).toEqual([
      { identity: 'I1', what: '1 accepted and neither applied nor dead: "f"' },
    ]);
  });

  it('lets a heartbeat of an unknown inventory be no place to stand at', () => {
    const stray = receipt('d', 9, { state: 'superseded', reason: 'unknown_inventory_hash', changes: 0 });
    expect(brokenBy({ receipts: [...sound.receipts, stray] })).toEqual([]);
  });
});
