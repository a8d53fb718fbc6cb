import { ERASING_SERVICES } from '#libs/contracts';
import { nextStep, withAnswer, withOwn, type ErasureParts } from './erasure-round.js';

const NONE = '01a1fe21-2670-734d-b4ea-a23bfe8d5004';

/** What is known after all services have answered `round` with that many rows. */
function answered(parts: ErasureParts, round: number, rows: number, more = false): ErasureParts {
  return ERASING_SERVICES.reduce(
    (known, service) =>
      withAnswer(known, service, { erasure_id: NONE, round, counts: rows > 0 ? { sites: rows } : {}, more }),
    parts,
  );
}

describe('the rounds of an erasure', () => {
  it('wait until every service has answered the round', () => {
    expect(nextStep(1, {})).toBe('wait');
    const some = withAnswer({}, 'ingest', { erasure_id: NONE, round: 1, counts: {}, more: false });
    expect(nextStep(1, some)).toBe('wait');
    expect(nextStep(2, answered({}, 1, 0))).toBe('wait');
  });

  it('end after one that finds nothing, but never with the first: facts may still be on their way', () => {
    const first = answered({}, 1, 0);
    expect(nextStep(1, first)).toBe('again_later');
    const second = answered(first, 2, 3);
    expect(nextStep(2, second)).toBe('again_later');
    expect(nextStep(3, answered(second, 3, 0))).toBe('finish');
  });

  it('do not end while the gateway itself finds something', () => {
    const found = withOwn(answered(withOwn({}, 1, { users: 1 }), 1, 0), 2, { password_resets: 1 });
    expect(nextStep(2, answered(found, 2, 0))).toBe('again_later');
    const again = withOwn(answered(found, 2, 0), 3, {});
    expect(again.gateway).toEqual({ round: 3, last: 0, more: false, erased: { users: 1, password_resets: 1 } });
    expect(nextStep(3, answered(again, 3, 0))).toBe('finish');
    // Asked for once more, a round has found what it found.
    expect(nextStep(2, answered(withOwn(found, 2, {}), 2, 0))).toBe('again_later');
  });

  it('follow at once while a service has more than it takes in one go', () => {
    expect(nextStep(4, answered({}, 4, 20_000, true))).toBe('again_at_once');
  });

  it('count every answer once, however often it is delivered', () => {
    const once = answered({}, 1, 2);
    const twice = answered(once, 1, 2);
    expect(twice).toEqual(once);
    expect(answered(once, 2, 1).ingest).toEqual({ round: 2, last: 1, more: false, erased: { sites: 3 } });
  });
});
