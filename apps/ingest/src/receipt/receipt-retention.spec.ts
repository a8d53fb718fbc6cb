import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '#libs/testing';
import { IngestBox } from '../../test/ingest-box.js';
import { push } from '../../test/push-fixtures.js';

const DAY_MS = 86_400_000;

describe('receipts and raw pushes that are let go', () => {
  let box: IngestBox;
  beforeAll(async () => (box = await IngestBox.open()));
  afterAll(() => box?.close());
  beforeEach(() => box.wipe());

  const forgetReceipts = (before = new Date(Date.now() + DAY_MS), limit = 1_000) =>
    box.receipts.forget(box.dataSource.manager, before, limit);

  it('go the oldest first, as many as are asked for, and none that is young', async () => {
    for (const sequence of [1, 2, 3]) await box.apply(push({ sequence, modules: { token: `8.x-1.${sequence}` } }));
    await box.query(`UPDATE receipts SET settled_at = now() - interval '100 days' * sequence WHERE sequence > 1`);
    const before = new Date(Date.now() - 90 * DAY_MS);
    expect([await forgetReceipts(before, 1), await forgetReceipts(before, 10)]).toEqual([1, 1]);
    expect(await box.query('SELECT sequence FROM receipts')).toEqual([{ sequence: 1 }]);
  });

  it('leave a repeated push to the version guard: superseded, or the duplicate of what stands; nothing changes', async () => {
    const old = push({ sequence: 1, modules: { drupal: '10.3.1', token: '8.x-1.13' } });
    const current = push({ sequence: 2, modules: { drupal: '10.3.2', token: '8.x-1.14' } });
    await box.apply(old);
    await box.apply(current);
    const history = await box.query('SELECT * FROM site_modules ORDER BY module, sequence');
    expect(await forgetReceipts()).toBe(2);
    expect(await box.endOf(old)).toBe('queued');
    box.outbox.committed.length = 0;

    await box.apply({ ...old });
    await box.apply({ ...current });
    expect(await box.endOf(old)).toBe('superseded: older_than_current');
    expect(await box.endOf(current)).toBe('duplicate: already_applied');
    expect(await box.standing()).toEqual({ drupal: '10.3.2', token: '8.x-1.14' });
    expect(await box.query('SELECT * FROM site_modules ORDER BY module, sequence')).toEqual(history);
    expect(box.outbox.committed).toEqual([]);
  });

  it('absorb a repeated push as long as they are there', async () => {
    const old = push({ sequence: 1, modules: { token: '8.x-1.13' } });
    await box.apply(old);
    await box.apply(push({ sequence: 2, modules: { token: '8.x-1.14' } }));
    const { settled } = await box.apply({ ...old });
    expect(settled).toEqual({ applied: 0, superseded: 0, duplicate: 0, repeated: 1 });
    expect(await box.endOf(old)).toBe('applied: changed');
  });

  it('are, of raw pushes, whole days at once and what came too late for its day', async () => {
    const young = push({ sequence: 2, receivedAt: new Date().toISOString(), modules: { token: '8.x-1.14' } });
    const late = push({ sequence: 1, receivedAt: new Date(Date.now() - 40 * DAY_MS).toISOString(), modules: {} });
    await box.apply(late);
    await box.apply(young);
    const days = () => box.query<{ push_id: string }>('SELECT push_id FROM raw_pushes ORDER BY received_at');
    expect(await days()).toHaveLength(2);
    expect(await box.rawPushes.forget(box.dataSource.manager, new Date(Date.now() - 30 * DAY_MS), 100)).toBe(1);
    expect(await days()).toEqual([{ push_id: young.pushId }]);
  });
});

describe('a push before it is buried', () => {
  let box: IngestBox;
  beforeAll(async () => (box = await IngestBox.open()));
  afterAll(() => box?.close());

  it('has its end when a receipt or a letter says so, and has none otherwise', async () => {
    const applied = push({ sequence: 1, modules: { token: '8.x-1.13' } });
    expect(await box.hasEnded(applied)).toBe(false);
    await box.apply(applied);
    expect(await box.hasEnded(applied)).toBe(true);
    expect(await box.hasEnded({ ...applied, siteId: 2 })).toBe(false);
  });

  it('waits for whoever is applying it at this moment', async () => {
    const slow = push({ site: 3, sequence: 1, modules: { token: '8.x-1.13' } });
    let answer: boolean | null = null;
    await box.applySlowly(slow, async () => {
      void box.hasEnded(slow).then((ended) => (answer = ended));
      const waiting = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      await eventually(async () => (await box.query<{ n: number }>(waiting))[0]!.n === 1, {
        what: 'somebody who waits',
      });
      expect(answer).toBeNull();
    });
    await eventually(() => answer !== null, { what: 'the answer' });
    expect(answer).toBe(true);
  });
});
