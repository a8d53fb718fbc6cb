import { describe, expect, it } from '@jest/globals';
import { GatheredGroups, GatheredLookUps } from './gathered-look-ups.js';

/** Look-ups that are answered when the test says so. */
function slow() {
  const reads: { names: readonly string[]; answer: () => void; fail: (error: Error) => void }[] = [];
  const read = (names: readonly string[]): Promise<Map<string, number>> =>
    new Promise((resolve, reject) => {
      const number = reads.length;
      reads.push({
        names,
        answer: () => resolve(new Map(names.map((name) => [name, number]))),
        fail: reject,
      });
    });
  const begun = async (count: number): Promise<void> => {
    while (reads.length < count) await new Promise((resolve) => setImmediate(resolve));
  };
  return { reads, read, begun };
}

describe('gathered look-ups', () => {
  it('share a read when they come at once, and the next one when they come while it is under way', async () => {
    const { reads, read, begun } = slow();
    const lookUps = new GatheredLookUps(read);
    const early = [lookUps.find('a'), lookUps.find('b'), lookUps.find('a')];
    await begun(1);
    const late = [lookUps.find('a'), lookUps.find('c')];
    reads[0]!.answer();
    expect(await Promise.all(early)).toEqual([0, 0, 0]);
    await begun(2);
    reads[1]!.answer();
    // What was read before they asked is not theirs.
    expect(await Promise.all(late)).toEqual([1, 1]);
    expect(reads.map(({ names }) => names)).toEqual([
      ['a', 'b'],
      ['a', 'c'],
    ]);
  });

  it('leave at once as long as each comes alone, and apart from each other once they have company', async () => {
    const { reads, read, begun } = slow();
    // More than a busy machine lets a test wait for its turn.
    const spacingMs = 1_000;
    const lookUps = new GatheredLookUps(read, spacingMs);
    const oneAfterTheOther = performance.now();
    for (const [place, name] of ['a', 'b'].entries()) {
      const found = lookUps.find(name);
      await begun(place + 1);
      reads[place]!.answer();
      await found;
    }
    expect(performance.now() - oneAfterTheOther).toBeLessThan(spacingMs);

    const together = [lookUps.find('a'), lookUps.find('a')];
    await begun(3);
    const left = performance.now();
    reads[2]!.answer();
    await Promise.all(together);
    const next = lookUps.find('c');
    await new Promise((resolve) => setImmediate(resolve));
    const later = lookUps.find('d');
    await begun(4);
    expect(performance.now() - left).toBeGreaterThanOrEqual(spacingMs - 5);
    reads[3]!.answer();
    expect(await Promise.all([next, later])).toEqual([3, 3]);
    expect(reads.map(({ names }) => names)).toEqual([['a'], ['b'], ['a'], ['c', 'd']]);
  });

  it('wait for one that hangs no longer than for a moment, and go on after one that failed', async () => {
    const { reads, read, begun } = slow();
    const lookUps = new GatheredLookUps(read);
    const hanging = lookUps.find('a');
    await begun(1);
    const second = lookUps.find('b');
    await begun(2);
    reads[1]!.fail(new Error('the database is away'));
    await expect(second).rejects.toThrow('away');
    const third = lookUps.find('c');
    await begun(3);
    reads[2]!.answer();
    expect(await third).toBe(2);
    reads[0]!.answer();
    expect(await hanging).toBe(0);
  });

  it('are apart by group, and a group is forgotten when nobody waits', async () => {
    const { reads, read, begun } = slow();
    const groups = new GatheredGroups<number>();
    const found = [groups.find('one', 'a', read), groups.find('two', 'a', read), groups.find('one', 'b', read)];
    await begun(2);
    for (const { answer } of reads) answer();
    expect(await Promise.all(found)).toEqual([0, 1, 0]);
    const other = () => Promise.resolve(new Map([['a', 7]]));
    expect(await groups.find('one', 'a', other)).toBe(7);
    expect(reads.map(({ names }) => names)).toEqual([['a', 'b'], ['a']]);
  });
});
