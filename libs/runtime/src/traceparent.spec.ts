import { describe, expect, it } from '@jest/globals';
import { beginTrace, newId, readTraceparent, traceIdOf } from './index.js';

const GIVEN = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('A trace context', () => {
  it('is taken over as the caller gives it', () => {
    expect(readTraceparent(GIVEN)).toBe(GIVEN);
    expect(traceIdOf(GIVEN)).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
  });

  it.each([
    undefined,
    ['a', 'b'],
    '',
    GIVEN.toUpperCase(),
    GIVEN.replace('00-', 'ff-'),
    `${GIVEN}-more`,
    GIVEN.replace('4bf92f3577b34da6a3ce929d0e0e4736', '0'.repeat(32)),
    GIVEN.replace('00f067aa0ba902b7', '0'.repeat(16)),
  ])('is none when it is %j', (header) => {
    expect(readTraceparent(header)).toBeNull();
  });

  it('begins at something with an id: the trace has that id', () => {
    const id = newId();
    const begun = beginTrace(id);
    expect(readTraceparent(begun)).toBe(begun);
    expect(traceIdOf(begun)).toBe(id.replaceAll('-', ''));
    expect(begun.endsWith('-00')).toBe(true);
    expect(traceIdOf(null)).toBeUndefined();
  });
});
