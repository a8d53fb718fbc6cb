import { describe, expect, it } from '@jest/globals';
import {
  reconciliation,
  withRecordedOpenings,
  type DerivedEpisode,
  type RecordedEpisode,
} from './exposure-reconciliation.js';

const day = (number: number): Date => new Date(Date.UTC(2026, 0, number));

const derived = (more: Partial<DerivedEpisode> = {}): DerivedEpisode => ({
  siteId: 1,
  moduleId: 2,
  causeId: 3,
  organizationId: 1,
  fixedIn: null,
  opensAtAnchor: false,
  openedAt: day(10),
  publishedAt: day(10),
  version: '1.0',
  state: 'open',
  unknownSince: null,
  closedAt: null,
  closedAfter: null,
  reason: null,
  closedVersion: null,
  ...more,
});
const recorded = (more: Partial<RecordedEpisode> = {}): RecordedEpisode => ({ exposureId: 7, ...derived(), ...more });
const closed = { state: 'closed', closedAt: day(12), reason: 'patched', closedVersion: '1.1' } as const;
const nothing = { insert: [], close: [], update: [], retract: [] };

describe(reconciliation.name, () => {
  it('does nothing when the record says what follows from the facts', () => {
    expect(reconciliation([derived()], [recorded()])).toEqual(nothing);
    expect(reconciliation([derived(closed)], [recorded(closed)])).toEqual(nothing);
  });

  it('records what is new and closes what has ended', () => {
    expect(reconciliation([derived()], [])).toEqual({ ...nothing, insert: [derived()] });
    expect(reconciliation([derived(closed)], [recorded()])).toEqual({
      ...nothing,
      close: [{ exposureId: 7, to: derived(closed) }],
    });
  });

  it('marks a standing one as unknown, and as open again', () => {
    const unknown = derived({ state: 'unknown', unknownSince: day(11) });
    expect(reconciliation([unknown], [recorded()]).update).toEqual([{ exposureId: 7, to: unknown }]);
    const back = reconciliation([derived()], [recorded({ state: 'unknown', unknownSince: day(11) })]);
    expect(back.update).toHaveLength(1);
  });

  it('retracts what never was', () => {
    expect(reconciliation([], [recorded()]).retract).toMatchObject([{ exposureId: 7 }]);
  });

  it('puts another beside a closed one that is contradicted, instead of re-writing it', () => {
    for (const to of [
      derived(),
      derived({ ...closed, closedAt: day(11) }),
      derived({ ...closed, reason: 'removed' }),
    ]) {
      const changes = reconciliation([to], [recorded(closed)]);
      expect(changes).toMatchObject({ insert: [to], retract: [{ exposureId: 7 }], close: [], update: [] });
    }
  });

  it('tells causes apart', () => {
    expect(reconciliation([derived({ causeId: 4 })], [recorded()])).toMatchObject({
      insert: [{ causeId: 4 }],
      retract: [{ exposureId: 7 }],
    });
  });
});

describe(withRecordedOpenings.name, () => {
  const atAnchor = derived({ openedAt: day(14), publishedAt: day(3), version: '1.4', opensAtAnchor: true });
  const opened = recorded({ openedAt: day(11), publishedAt: day(10), version: '1.1', fixedIn: ['1.5'] });

  it('lets what stood at the anchor begin where it is recorded to have opened', () => {
    expect(withRecordedOpenings([atAnchor], [opened])).toEqual([
      { ...atAnchor, openedAt: day(11), publishedAt: day(10), version: '1.1', fixedIn: ['1.5'] },
    ]);
  });

  it('takes the last one that had opened by then, of the same cause', () => {
    const others = [
      recorded({ openedAt: day(9) }),
      recorded({ openedAt: day(15) }),
      recorded({ openedAt: day(13), causeId: 4 }),
    ];
    expect(withRecordedOpenings([atAnchor], [...others, opened])).toMatchObject([{ openedAt: day(11) }]);
  });

  it('leaves alone what opened after the anchor, and what is not on record', () => {
    const later = derived({ openedAt: day(16) });
    expect(withRecordedOpenings([later], [opened])).toEqual([later]);
    expect(withRecordedOpenings([atAnchor], [])).toEqual([atAnchor]);
  });
});
