import { needsRehash } from './password.js';
import { HasherBusyError, PasswordHasher } from './password-hasher.service.js';

const PEPPER = 'a pepper of more than thirty-two characters';

interface Taken {
  /** Milliseconds of processor time, over all threads. */
  readonly busy: number;
  /** Milliseconds on the clock. */
  readonly clock: number;
}

async function timeOf(work: () => Promise<unknown>): Promise<Taken> {
  const [before, begun] = [process.cpuUsage(), performance.now()];
  await work();
  const clock = performance.now() - begun;
  const { user, system } = process.cpuUsage(before);
  return { busy: (user + system) / 1_000, clock };
}

/**
 * That a wrong password takes as long for an account that does not exist, in work and in waiting; by the quickest of each, since whatever else runs
 * here only adds.
 */
async function expectUnknownToTakeAsLong(hasher: PasswordHasher, stored: string): Promise<void> {
  const [known, unknown]: [Taken[], Taken[]] = [[], []];
  for (let i = 0; i < 15; i++) {
    known.push(await timeOf(() => hasher.check('wrong', stored)));
    unknown.push(await timeOf(() => hasher.check('wrong', null)));
  }
  for (const what of ['busy', 'clock'] as const) {
    const [ofKnown, ofUnknown] = [known, unknown].map((all) => Math.min(...all.map((taken) => taken[what])));
    const ratio = ofUnknown! / ofKnown!;
    expect(ratio).toBeGreaterThan(0.6);
    expect(ratio).toBeLessThan(1.6);
  }
}

describe('passwords', () => {
  const hasher = new PasswordHasher(PEPPER, 4);

  it('S05: are kept with their scheme and the cost of the day, and not without a pepper', async () => {
    expect(await new PasswordHasher(PEPPER).hash('x')).toMatch(/^pw1\$\$2b\$12\$[./A-Za-z0-9]{53}$/);
    expect(() => new PasswordHasher('')).toThrow('pepper');
  });

  it('S04: count to the last character, and NUL ends nothing', async () => {
    const long = 'x'.repeat(100);
    const stored = await hasher.hash(long);
    expect(await hasher.check(long, stored)).toBe(true);
    expect(await hasher.check(`${'x'.repeat(79)}y${'x'.repeat(20)}`, stored)).toBe(false);
    expect(await hasher.check(`${long} `, stored)).toBe(false);
    const withNul = await hasher.hash('secret\0one');
    expect(await hasher.check('secret\0two', withNul)).toBe(false);
    expect(await hasher.check('', await hasher.hash(''))).toBe(true);
  });

  it('are worth nothing without the pepper they were kept with', async () => {
    const stored = await hasher.hash('a password');
    expect(await new PasswordHasher(`${PEPPER}!`, 4).check('a password', stored)).toBe(false);
  });

  it('S09: take as long to refuse for an account that does not exist', async () => {
    const slow = new PasswordHasher(PEPPER, 9);
    const stored = await slow.hash('a password');
    await slow.warmUp();
    // Without the dummy the ratio would be a thousand.
    await expectUnknownToTakeAsLong(slow, stored);
  });

  it('S09: take as long to refuse when they were kept at the lower cost of former days', async () => {
    const slow = new PasswordHasher(PEPPER, 9);
    const stored = await hasher.hash('a password');
    await slow.warmUp();
    // At their own cost it would be 32.
    await expectUnknownToTakeAsLong(slow, stored);
    expect(await slow.check('a password', stored)).toBe(true);
  });

  it.each(['', 'plain text', '$2b$04$' + 'x'.repeat(53), 'pw2$$2b$04$' + 'x'.repeat(53), 'pw1$$2b$04$short'])(
    'are refused, not crashed on, when what is stored is %j',
    async (stored) => {
      expect(await hasher.check('x', stored)).toBe(false);
    },
  );

  it('S06: are kept anew when the scheme or the cost is of yesterday', async () => {
    const stored = await hasher.hash('x');
    expect([needsRehash(stored, 4), needsRehash(stored, 5), needsRehash(stored.slice(4), 4)]).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('S14: are not checked by the hundred at once: whoever comes too many is sent away', async () => {
    const busy = new PasswordHasher(PEPPER, 4);
    const results = await Promise.allSettled(Array.from({ length: 100 }, () => busy.check('x', null)));
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(100 - 42);
    for (const { reason } of refused) expect(reason).toBeInstanceOf(HasherBusyError);
    // And then there is room again.
    await expect(busy.check('x', null)).resolves.toBe(false);
  });
});
