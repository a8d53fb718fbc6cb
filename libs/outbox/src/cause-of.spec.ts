import { describe, expect, it } from '@jest/globals';
import type { Cause } from '#libs/runtime';
import { causeOf } from './cause-of.js';

const cause = (id: string, key: string, organizationId: number | null): Cause => ({
  id,
  key,
  organizationId,
  correlationId: `correlation-${id}`,
  traceparent: null,
});
const batch = [cause('a', 'site-1', 7), cause('b', 'site-2', 7), cause('c', 'site-2', 8)];

describe('causeOf', () => {
  it('takes the message that the event names, and no other when that is not in the batch', () => {
    expect(causeOf({ key: 'x', organizationId: null, causationId: 'b' }, batch)?.id).toBe('b');
    expect(causeOf({ key: 'x', organizationId: null, causationId: 'z' }, [batch[0]!])).toBeNull();
  });

  it('takes the only message, else the only one with its key, else the only one of its organization', () => {
    expect(causeOf({ key: 'x', organizationId: null }, [batch[0]!])?.id).toBe('a');
    expect(causeOf({ key: 'site-1', organizationId: 7 }, batch)?.id).toBe('a');
    expect(causeOf({ key: 'organization-8', organizationId: 8 }, batch)?.id).toBe('c');
  });

  it('takes none when several could be it', () => {
    expect(causeOf({ key: 'site-2', organizationId: 7 }, batch)).toBeNull();
    expect(causeOf({ key: 'modules-seen', organizationId: null }, batch)).toBeNull();
    expect(causeOf({ key: 'x', organizationId: 7 }, [])).toBeNull();
  });
});
