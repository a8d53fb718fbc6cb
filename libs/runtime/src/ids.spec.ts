import { newId } from './ids.js';

describe('a new id', () => {
  it('is a UUIDv7 of now, and ids come in the order they were made', () => {
    const before = Date.now();
    const ids = Array.from({ length: 5_000 }, newId);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    const made = parseInt(ids[0]!.replace('-', '').slice(0, 12), 16);
    expect(made).toBeGreaterThanOrEqual(before);
    expect(made).toBeLessThanOrEqual(Date.now());
  });

  it('cannot be guessed from the one before: its last 48 bits differ all over', () => {
    const seen = Array.from({ length: 2_000 }, () => BigInt(`0x${newId().slice(-12)}`));
    for (let bit = 0n; bit < 48n; bit++) {
      const ones = seen.filter((value) => (value >> bit) & 1n).length;
      // 1,000 expected; nine standard deviations.
      expect(Math.abs(ones - 1_000)).toBeLessThan(9 * 22.4);
    }
  });
});
