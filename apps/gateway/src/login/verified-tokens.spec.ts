import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { CLOCK_TOLERANCE_SECONDS, TOKEN_LIFETIME_SECONDS, TOKEN_TYPE } from './access-token.js';
import { VerifiedTokens } from './verified-tokens.js';

const BEGUN = 1_790_000_000;
const at = (seconds: number): Date => new Date(seconds * 1000 + 999);

function verified(claims: object = {}, header: object = {}) {
  return {
    header: { alg: 'HS256', typ: TOKEN_TYPE, ...header },
    payload: {
      sub: randomUUID(),
      sid: randomUUID(),
      sv: 1,
      iat: BEGUN,
      nbf: BEGUN,
      exp: BEGUN + TOKEN_LIFETIME_SECONDS,
      ...claims,
    },
  };
}

describe('tokens that were verified', () => {
  it('are found by their whole text only', () => {
    const tokens = new VerifiedTokens();
    const { payload } = verified();
    expect(tokens.find('head.body.signature', at(BEGUN))).toBeNull();
    const claims = tokens.keep('head.body.signature', verified(payload));
    expect(claims).toEqual({ sub: payload.sub, sid: payload.sid, sv: 1 });
    expect(tokens.find('head.body.signature', at(BEGUN))).toEqual(claims);
    for (const other of ['head.body.signaturE', 'head.body.', 'head.body', 'head.body.signature ', '']) {
      expect(tokens.find(other, at(BEGUN))).toBeNull();
    }
  });

  it('S31: are over when their time is, to the second that a verifier would say', () => {
    const tokens = new VerifiedTokens();
    tokens.keep('token', verified());
    const end = BEGUN + TOKEN_LIFETIME_SECONDS + CLOCK_TOLERANCE_SECONDS;
    expect(tokens.find('token', at(end - 1))).not.toBeNull();
    expect(tokens.find('token', at(end))).toBeNull();
    expect(tokens.find('token', at(BEGUN - CLOCK_TOLERANCE_SECONDS))).not.toBeNull();
    expect(tokens.find('token', at(BEGUN - CLOCK_TOLERANCE_SECONDS - 1))).toBeNull();
  });

  it('are not kept when they are of another kind than ours', () => {
    const tokens = new VerifiedTokens();
    for (const [claims, header] of [
      [{ exp: BEGUN + TOKEN_LIFETIME_SECONDS + 1 }, {}],
      [{ sid: 'somebody' }, {}],
      [{}, { typ: 'JWT' }],
      [{}, { jku: 'https://keys.example' }],
    ] as const) {
      expect(tokens.keep('token', verified(claims, header))).toBeNull();
      expect(tokens.find('token', at(BEGUN))).toBeNull();
    }
  });

  it('are so many at most: the first go first', () => {
    const tokens = new VerifiedTokens(2);
    for (const token of ['one', 'two', 'three']) tokens.keep(token, verified());
    expect(['one', 'two', 'three'].map((token) => tokens.find(token, at(BEGUN)) !== null)).toEqual([false, true, true]);
  });
});
