import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { joinedContacts, type ContactSpan } from './contact-spans.js';

const HOUR = 3_600_000;
const word = (siteId: number, hour: number): ContactSpan => ({
  siteId,
  from: new Date(hour * HOUR),
  until: new Date(hour * HOUR),
});

describe(joinedContacts.name, () => {
  it('joins words that no silence separates', () => {
    expect(joinedContacts([word(1, 0), word(1, 40), word(1, 88), word(1, 137)])).toEqual([
      { siteId: 1, from: new Date(0), until: new Date(88 * HOUR) },
      word(1, 137),
    ]);
  });

  it('keeps sites apart', () => {
    expect(joinedContacts([word(2, 1), word(1, 0)])).toEqual([word(1, 0), word(2, 1)]);
  });

  it('comes to the same whatever order and however often the words arrive', () => {
    const words = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.integer({ min: 0, max: 600 })), { maxLength: 30 });
    fc.assert(
      fc.property(words, fc.infiniteStream(fc.nat()), (list, order) => {
        const spans = list.map(([siteId, hour]) => word(siteId, hour));
        const atOnce = joinedContacts(spans);
        const keys = new Map(spans.map((span) => [span, order.next().value]));
        const shuffled = [...spans].sort((a, b) => keys.get(a)! - keys.get(b)!);
        const oneByOne = shuffled.reduce<ContactSpan[]>((joined, span) => joinedContacts([...joined, span, span]), []);
        expect(oneByOne).toEqual(atOnce);
      }),
    );
  });
});
