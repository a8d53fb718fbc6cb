import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fromFields, rawOf, toFields } from './entry-codec.js';
import type { Envelope } from './envelope.js';
import { PoisonMessageError } from './failures.js';
import { partitionOf, streamKey } from './stream-key.js';

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const orNull = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });

const envelopes: fc.Arbitrary<Envelope> = fc.record({
  id: text,
  type: text,
  version: fc.nat(),
  organizationId: orNull(fc.nat()),
  key: text,
  occurredAt: text,
  correlationId: text,
  causationId: orNull(text),
  traceparent: orNull(text),
  contentHash: orNull(text),
  contentEncoding: fc.constantFrom('identity', 'gzip'),
  meta: orNull(fc.dictionary(fc.string({ minLength: 1 }), fc.oneof(text, fc.integer(), fc.boolean()))),
  body: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

const asRead = (envelope: Envelope): Buffer[] =>
  toFields(envelope).map((field) => (typeof field === 'string' ? Buffer.from(field) : field));

describe('Entry codec', () => {
  it('reads back every envelope as it was, facts first and body last', () => {
    fc.assert(
      fc.property(envelopes, (envelope) => {
        const fields = asRead(envelope);
        expect(fields.filter((_, i) => i % 2 === 0).map(String)).toEqual(['facts', 'body']);
        const read = fromFields(fields);
        expect(JSON.parse(JSON.stringify(read))).toEqual(JSON.parse(JSON.stringify(envelope)));
        expect(read.body.equals(envelope.body)).toBe(true);
      }),
    );
  });

  it('never throws anything but poison, whatever the fields hold', () => {
    const bytes = fc.uint8Array({ maxLength: 40 }).map((b) => Buffer.from(b));
    const facts = fc.json().map((json) => Buffer.from(json));
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 6 }), facts, fc.boolean(), (fields, json, named) => {
        const all = named ? [Buffer.from('facts'), json, Buffer.from('body'), Buffer.alloc(1)] : fields;
        try {
          fromFields(all);
        } catch (error) {
          expect(error).toBeInstanceOf(PoisonMessageError);
        }
        expect(JSON.stringify(rawOf(all))).not.toContain('\\u0000');
      }),
    );
  });
});

describe('Stream keys', () => {
  it('hash-tag the partition, so that scripts stay on one node and partitions spread', () => {
    expect(streamKey('ingest.pushes', 3)).toBe('pw:{ingest.pushes.3}');
  });

  it('spread keys evenly and always to the same partition', () => {
    const counts = new Array<number>(8).fill(0);
    for (let n = 0; n < 8_000; n++) {
      const key = `0193c2d4-1111-7222-8333-${String(n).padStart(12, '0')}`;
      const partition = partitionOf(key, 8);
      expect(partitionOf(key, 8)).toBe(partition);
      counts[partition]!++;
    }
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(Math.max(...counts)).toBeLessThan(1_200);
    expect(partitionOf('anything', 1)).toBe(0);
  });
});
