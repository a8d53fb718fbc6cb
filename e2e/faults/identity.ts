/** How one push ended, as the receipts' table says. */
export interface ReceiptFact {
  readonly pushId: string;
  readonly siteId: number;
  readonly state: string;
  readonly reason: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly changes: number;
  /** Whether what was sent is still kept. */
  readonly hasPayload: boolean;
}

/** An open dead letter of a push; `pushId` null: the entry could not even be read. */
export interface DeadFact {
  readonly id: number;
  readonly pushId: string | null;
  readonly code: string;
}

/** A point in the order of one site. */
export interface Place {
  readonly siteId: number;
  readonly epoch: number;
  readonly sequence: number;
}

/** One stretch of a module's history on a site. Instants in ms; null: it lasts. */
export interface HistoryFact extends Place {
  readonly module: string;
  readonly validFrom: number;
  readonly validTo: number | null;
  readonly endEpoch: number | null;
  readonly endSequence: number | null;
}

/** What one queue's event was to bring about at its subscriber, and how often the subscriber shows it. */
export interface EffectFact {
  /** `<type> <what>`; equal for copies of one event. */
  readonly event: string;
  /** How many different messages said it. */
  readonly messages: number;
  /** How often its effect is there. */
  readonly effects: number;
}

export interface StreamFact {
  readonly stream: string;
  readonly length: number;
  readonly pending: number;
  /** Names of consumers that were active lately. */
  readonly liveConsumers: number;
  /** Processes that may consume from it. */
  readonly processes: number;
}

/** Everything that is known when the queues are empty, read from files, tables and streams. */
export interface Facts {
  /** Push ids for which the client saw 202, one line each. */
  readonly accepted: readonly string[];
  /** Push ids whose answer was doubtful. */
  readonly doubtful: readonly string[];
  readonly receipts: readonly ReceiptFact[];
  readonly dead: readonly DeadFact[];
  readonly states: readonly Place[];
  readonly history: readonly HistoryFact[];
  readonly effects: readonly EffectFact[];
  readonly streams: readonly StreamFact[];
  /** Rows left in outboxes. */
  readonly outbox: number;
  /** Lost with a Redis that was emptied on purpose, and named by the scenario. */
  readonly named: readonly string[];
}

export type Identity = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8';

export interface Broken {
  readonly identity: Identity;
  readonly what: string;
}

/** The figures of the report. */
export interface Balance {
  readonly accepted: number;
  readonly doubtful: number;
  readonly receipts: number;
  readonly dead: number;
  readonly lost: number;
  readonly invented: number;
}

/** Counts what went in and what came out. */
export function balanceOf(facts: Facts): Balance {
  const { lost, invented } = lostAndInvented(facts);
  return {
    accepted: new Set(facts.accepted).size,
    doubtful: new Set(facts.doubtful).size,
    receipts: facts.receipts.length,
    dead: facts.dead.length,
    lost: lost.length,
    invented: invented.length,
  };
}

/**
 * The accounting identity, I1 to I7 (I8 is watched while the scenario runs). Source: the project's list of disasters.
 * @returns every way in which it does not hold; empty when it does.
 */
export function brokenIdentities(facts: Facts): Broken[] {
  const broken: Broken[] = [];
  const report = (identity: Identity, what: string, examples: readonly unknown[]): void => {
    if (examples.length === 0) return;
    const shown = examples
      .slice(0, 3)
      .map((example) => JSON.stringify(example))
      .join(', ');
    broken.push({ identity, what: `${examples.length} ${what}: ${shown}` });
  };
  const { lost, invented } = lostAndInvented(facts);
  report('I1', 'accepted and neither applied nor dead', lost);
  report('I2', 'both settled and dead', settledAndDead(facts));
  report(
    'I2',
    'push ids with more than one receipt',
    repeated(facts.receipts.map(({ siteId, pushId }) => `${siteId} ${pushId}`)),
  );
  report('I2', 'pushes with more than one open letter', repeated(facts.dead.flatMap(({ pushId }) => pushId ?? [])));
  report('I3', 'settled or dead, and never sent', invented);
  report('I4', 'sites that do not stand at their greatest push', wrongStates(facts));
  report('I5', 'differences between history and receipts', wrongHistory(facts));
  report('I5', 'stretches of history that overlap or run backwards', backwards(facts.history));
  report(
    'I6',
    'events told more than once',
    facts.effects.filter(({ messages }) => messages > 1),
  );
  report(
    'I6',
    'events whose effect is not there exactly once',
    facts.effects.filter(({ effects }) => effects !== 1),
  );
  report(
    'I7',
    'streams that are not empty',
    facts.streams.filter(({ length, pending }) => length > 0 || pending > 0),
  );
  report(
    'I7',
    'streams with more consumers than processes',
    facts.streams.filter((stream) => stream.liveConsumers > stream.processes),
  );
  report(
    'I7',
    'receipts whose payload is lost',
    facts.receipts.filter(({ hasPayload }) => !hasPayload).map(({ pushId }) => pushId),
  );
  if (facts.outbox > 0) broken.push({ identity: 'I7', what: `${facts.outbox} events are still in an outbox` });
  return broken;
}

function lostAndInvented({ accepted, doubtful, receipts, dead, named }: Facts): { lost: string[]; invented: string[] } {
  const ended = new Set([...receipts.map(({ pushId }) => pushId), ...dead.flatMap(({ pushId }) => pushId ?? [])]);
  const known = new Set([...accepted, ...doubtful]);
  const excused = new Set(named);
  return {
    lost: [...new Set(accepted)].filter((id) => !ended.has(id) && !excused.has(id)),
    invented: [...ended].filter((id) => !known.has(id)),
  };
}

function settledAndDead({ receipts, dead }: Facts): string[] {
  const settled = new Set(receipts.map(({ pushId }) => pushId));
  return dead.flatMap(({ pushId }) => (pushId !== null && settled.has(pushId) ? [pushId] : []));
}

function repeated(keys: readonly string[]): string[] {
  const seen = new Set<string>();
  return keys.filter((key) => seen.has(key) || !seen.add(key));
}

const compare = (a: Place, b: Place): number => a.epoch - b.epoch || a.sequence - b.sequence;
const placeOf = ({ siteId, epoch, sequence }: Place): string => `${siteId}/${epoch}/${sequence}`;

/** A heartbeat that named another inventory than the current one says nothing about where the site stands. */
function wrongStates({ receipts, states }: Facts): unknown[] {
  const greatest = new Map<number, Place>();
  for (const receipt of receipts) {
    if (receipt.reason === 'unknown_inventory_hash') continue;
    const before = greatest.get(receipt.siteId);
    if (before === undefined || compare(before, receipt) < 0) greatest.set(receipt.siteId, receipt);
  }
  const standing = new Map(states.map((state) => [state.siteId, placeOf(state)]));
  return [...greatest.values()]
    .filter((place) => standing.get(place.siteId) !== placeOf(place))
    .map((place) => ({ greatest: placeOf(place), state: standing.get(place.siteId) ?? 'none' }));
}

/** Every applied push that changed something begins or ends a stretch of some module, and nothing else does. */
function wrongHistory({ receipts, history }: Facts): string[] {
  const inHistory = new Set<string>();
  for (const row of history) {
    inHistory.add(placeOf(row));
    if (row.endEpoch !== null && row.endSequence !== null) {
      inHistory.add(placeOf({ siteId: row.siteId, epoch: row.endEpoch, sequence: row.endSequence }));
    }
  }
  const applied = new Set(receipts.filter(({ state, changes }) => state === 'applied' && changes > 0).map(placeOf));
  return [
    ...[...applied].filter((place) => !inHistory.has(place)).map((place) => `${place} applied, not in history`),
    ...[...inHistory].filter((place) => !applied.has(place)).map((place) => `${place} in history, not applied`),
  ];
}

function backwards(history: readonly HistoryFact[]): string[] {
  const byModule = new Map<string, HistoryFact[]>();
  for (const row of history) {
    const key = `${row.siteId} ${row.module}`;
    const rows = byModule.get(key);
    if (rows === undefined) byModule.set(key, [row]);
    else rows.push(row);
  }
  const wrong: string[] = [];
  for (const [key, rows] of byModule) {
    rows.sort(compare);
    rows.forEach((row, i) => {
      const next = rows[i + 1];
      const ends = row.validTo ?? Infinity;
      if (ends < row.validFrom || (next !== undefined && next.validFrom < ends))
        wrong.push(`${key} at ${placeOf(row)}`);
    });
  }
  return wrong;
}
