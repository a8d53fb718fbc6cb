import { describe, expect, it } from '@jest/globals';
import { releases } from '../../test/facts.js';
import { KnownHistories, type StoredHistory } from './known-histories.js';

const stored = (moduleId: number, revision = 1): StoredHistory => ({
  moduleId,
  module: `module_${moduleId}`,
  revision,
  knownAt: new Date('2026-06-01T00:00:00Z'),
});
const documentOf = (moduleId: number) =>
  releases(`module_${moduleId}`, '1.0.', [{ version: '1.0.0', date: '2026-05-01' }]).history;

/** Reads documents at once, and notes whose. */
function reader() {
  const asked: number[][] = [];
  const read = async (ids: readonly number[]) => {
    asked.push([...ids]);
    return new Map(ids.map((id) => [id, documentOf(id)]));
  };
  return { asked, read };
}

describe('known histories', () => {
  it('are worked out once for each revision of a module', async () => {
    const histories = new KnownHistories();
    const { asked, read } = reader();
    const first = await histories.get([stored(1), stored(2)], read);
    expect(first.get(1)).toMatchObject({ module: 'module_1', arrived: true });
    const again = await histories.get([stored(1), stored(2, 2)], read);
    expect(again.get(1)!.history).toBe(first.get(1)!.history);
    expect(again.get(2)!.history).not.toBe(first.get(2)!.history);
    expect(asked).toEqual([[1, 2], [2]]);
  });

  it('are not there before they have arrived, nor of modules that upstream does not know', async () => {
    const histories = new KnownHistories();
    const known = await histories.get([stored(1, 0), stored(2)], async (ids) => new Map(ids.map((id) => [id, null])));
    expect(known.get(1)).toMatchObject({ arrived: false, history: null });
    expect(known.get(2)).toMatchObject({ arrived: true, history: null });
  });

  it('stay with a batch that began with them, whatever other batches push out while it waits', async () => {
    const histories = new KnownHistories(2);
    const { read } = reader();
    await histories.get([stored(1)], read);
    const known = await histories.get([stored(1), stored(2)], async (ids) => {
      await histories.get([stored(3), stored(4)], read);
      return read(ids);
    });
    expect(known.get(1)!.history).not.toBeNull();
    expect(known.get(2)!.history).not.toBeNull();
  });
});
