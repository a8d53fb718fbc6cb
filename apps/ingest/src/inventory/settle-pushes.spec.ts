import fc from 'fast-check';
import type { SiteState } from '../site-state/site-state.js';
import { diffInventories } from './inventory-diff.js';
import { byModule, Inventory, type InstalledModule } from './inventory.js';
import { historyRows } from './module-history.js';
import { settlePushes, type AppliedChange, type Push, type SettledPush } from './settle-pushes.js';

const NEW_SITE: SiteState = {
  siteId: 1,
  siteUuid: '00000000-0000-4000-8000-000000000001',
  organizationId: 7,
  epoch: null,
  sequence: null,
  contentHash: null,
  reportedHash: null,
  fingerprint: null,
  observedAt: null,
  receivedAt: null,
  complete: null,
  coreVersion: null,
  phpVersion: null,
  removedAt: null,
};

const installed = (module: string, version: string | null): InstalledModule => ({
  module,
  type: 'module',
  version,
  datestamp: null,
  state: 'enabled',
  custom: false,
});

const inventoryOf = (versions: Readonly<Record<string, string>>): Inventory =>
  Inventory.of(
    null,
    null,
    Object.entries(versions)
      .map(([module, version]) => installed(module, version))
      .sort(byModule),
  );

interface Sent {
  readonly epoch: number;
  readonly sequence: number;
  readonly complete: boolean;
  readonly versions: Readonly<Record<string, string>>;
  readonly collectedAt: number;
  readonly receivedAt: number;
}

const pushOf = (sent: Sent, index: number): Push => ({
  ...sent,
  pushId: `push-${index}`,
  siteId: 1,
  siteUuid: NEW_SITE.siteUuid,
  organizationId: 7,
  reportedHash: null,
  content: { kind: 'inventory', inventory: inventoryOf(sent.versions), fingerprint: `body-${index}` },
});

const sentPush: fc.Arbitrary<Sent> = fc.record({
  epoch: fc.integer({ min: 0, max: 2 }),
  sequence: fc.integer({ min: 0, max: 6 }),
  complete: fc.boolean(),
  versions: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2')),
  collectedAt: fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2040, 0) }),
  receivedAt: fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2026, 1) }),
});

/** Settles batches one after the other, as the service does, and keeps a table of history as the repository does. */
function settleAll(batches: readonly (readonly Push[])[]) {
  let state = NEW_SITE;
  let current: Inventory | null = null;
  const settled: SettledPush[] = [];
  const changes: AppliedChange[] = [];
  const table: { module: string; version: string | null; from: number; to: number | null }[] = [];
  for (const batch of batches) {
    const settlement = settlePushes(state, current, batch);
    const rows = historyRows(settlement.changes);
    for (const { change, module } of rows.closings) {
      const standing = table.filter((row) => row.module === module && row.to === null);
      expect(standing).toHaveLength(1);
      standing[0]!.to = settlement.changes[change]!.observedAt;
    }
    for (const { change, installed: item, endedBy } of rows.openings) {
      table.push({
        module: item.module,
        version: item.version,
        from: settlement.changes[change]!.observedAt,
        to: endedBy === null ? null : settlement.changes[endedBy]!.observedAt,
      });
    }
    state = settlement.state;
    current = settlement.changes.at(-1)?.after ?? current;
    settled.push(...settlement.settled);
    changes.push(...settlement.changes);
  }
  return { state, current: current ?? Inventory.EMPTY, settled, changes, table };
}

const batchesOf = (pushes: readonly Push[], cuts: readonly number[]): Push[][] => {
  const batches: Push[][] = [[]];
  pushes.forEach((push, index) => {
    if (cuts.includes(index)) batches.push([]);
    batches.at(-1)!.push(push);
  });
  return batches.filter((batch) => batch.length > 0);
};

describe('settling the pushes of a site, however they are shuffled and cut into batches', () => {
  const cases = fc.tuple(
    fc.array(sentPush, { minLength: 1, maxLength: 12 }),
    fc.array(fc.integer({ min: 0, max: 11 }), { maxLength: 4 }),
  );
  const check = (property: (outcome: ReturnType<typeof settleAll>, pushes: readonly Push[]) => void) =>
    fc.assert(
      fc.property(cases, ([sent, cuts]) => {
        const pushes = sent.map(pushOf);
        property(settleAll(batchesOf(pushes, cuts)), pushes);
      }),
      { numRuns: 300 },
    );

  it('ends every push exactly once', () => {
    check(({ settled }, pushes) => {
      expect(settled.map(({ push }) => push.pushId).sort()).toEqual(pushes.map(({ pushId }) => pushId).sort());
    });
  });

  it('ends at the greatest epoch and sequence, reached in increasing order', () => {
    check(({ state, settled }, pushes) => {
      const greatest = pushes.reduce((a, b) => ((b.epoch! - a.epoch! || b.sequence - a.sequence) > 0 ? b : a));
      expect([state.epoch, state.sequence]).toEqual([greatest.epoch, greatest.sequence]);
      const applied = settled.filter((end) => end.state === 'applied');
      for (const [index, end] of applied.entries()) {
        const before = applied[index - 1];
        if (before) expect(end.epoch - before.epoch || end.push.sequence - before.push.sequence).toBeGreaterThan(0);
      }
    });
  });

  it('keeps a history whose open rows are the current inventory and whose intervals never overlap', () => {
    check(({ table, current, state }) => {
      const open = table
        .filter(({ to }) => to === null)
        .map(({ module, version }) => [module, version])
        .sort();
      expect(open).toEqual(current.lines.map((_, index) => [current.nameAt(index), current.moduleAt(index).version]));
      expect(current.hash).toBe(state.contentHash ?? Inventory.EMPTY.hash);
      for (const row of table) {
        expect(row.to ?? row.from).toBeGreaterThanOrEqual(row.from);
        const next = table.filter(
          (other) => other !== row && other.module === row.module && table.indexOf(other) > table.indexOf(row),
        )[0];
        if (next) expect(next.from).toBeGreaterThanOrEqual(row.to!);
      }
    });
  });

  it('observes at times that never go back and never lie ahead of every arrival', () => {
    check(({ changes }, pushes) => {
      const latest = Math.max(...pushes.map(({ receivedAt }) => receivedAt));
      for (const [index, { observedAt }] of changes.entries()) {
        expect(observedAt).toBeLessThanOrEqual(latest);
        expect(observedAt).toBeGreaterThanOrEqual(changes[index - 1]?.observedAt ?? 0);
      }
    });
  });

  it('removes a module by a complete push only', () => {
    check(({ changes }) => {
      for (const { push, differences } of changes) {
        if (!push.complete) expect(differences.filter(({ after }) => after === null)).toEqual([]);
      }
    });
  });
});

describe('an inventory', () => {
  const odd = fc.constantFrom('a', 'a\t', 'a\n', '\\t', '\\', '', '=', 'ab', 'a\u0001', '\ud83d\ude00');
  const modules = fc
    .uniqueArray(
      fc.record({ module: odd, version: fc.option(odd), datestamp: fc.option(fc.nat()), custom: fc.boolean() }),
      { selector: ({ module }) => module },
    )
    .map((items) =>
      items.map((item): InstalledModule => ({ ...installed(item.module, item.version), ...item })).sort(byModule),
    );

  it('is read back from its text as it was, whatever its names and versions hold', () => {
    fc.assert(
      fc.property(modules, fc.option(odd), (items, version) => {
        const read = Inventory.read(Inventory.of(version, null, items).text);
        expect(read.coreVersion).toBe(version);
        expect(read.lines.map((_, index) => read.moduleAt(index))).toEqual(items);
      }),
    );
  });

  it('differs from another one by exactly what turns the one into the other', () => {
    fc.assert(
      fc.property(modules, modules, (one, other) => {
        const differences = diffInventories(
          Inventory.read(Inventory.of(null, null, one).text),
          Inventory.of(null, null, other),
        );
        const result = new Map(one.map((item) => [item.module, item]));
        for (const { module, before, after } of differences) {
          expect(before).toEqual(result.get(module) ?? null);
          expect(before).not.toEqual(after);
          if (after) result.set(module, after);
          else result.delete(module);
        }
        expect([...result.values()].sort(byModule)).toEqual(other);
      }),
    );
  });
});
