import { generateSync } from 'otplib';
import { BACKUP_CODES, newBackupCodes, readBackupCode, shownBackupCode } from './backup-codes.js';
import { open, seal, sealingKey } from './seal.js';
import { enrolmentUri, newSeed, stepOfCode } from './totp.js';

const NOW = new Date('2026-01-02T03:04:15Z');
const seconds = (more: number) => Math.floor(NOW.getTime() / 1000) + more;
const stepNow = Math.floor(NOW.getTime() / 30_000);

describe('codes of an authenticator app', () => {
  it('are those of RFC 6238', () => {
    // Appendix B: seed "12345678901234567890", SHA-1; the last six of the eight digits there.
    const seed = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
    expect(stepOfCode(seed, '287082', new Date(59_000))).toBe(1);
    expect(stepOfCode(seed, '081804', new Date(1_111_111_109_000))).toBe(37_037_036);
    expect(stepOfCode(seed, '279037', new Date(2_000_000_000_000))).toBe(66_666_666);
  });

  it('S21: come of a seed of 160 random bits, which an app reads from a picture', () => {
    const seeds = Array.from({ length: 100 }, () => newSeed());
    for (const seed of seeds) expect(seed).toMatch(/^[A-Z2-7]{32}$/);
    expect(new Set(seeds).size).toBe(100);
    const uri = new URL(enrolmentUri(seeds[0]!, 'ada@agency.example'));
    expect([uri.protocol, uri.host, uri.searchParams.get('secret')]).toEqual(['otpauth:', 'totp', seeds[0]]);
    expect(decodeURIComponent(uri.pathname)).toBe('/Patchwatch:ada@agency.example');
  });

  it('are taken for the step that is and the one before, and for no other', () => {
    const seed = newSeed();
    const stepOf = (more: number) => stepOfCode(seed, generateSync({ secret: seed, epoch: seconds(more) }), NOW);
    expect([-90, -60, -30, 0, 30, 60].map(stepOf)).toEqual([null, null, stepNow - 1, stepNow, null, null]);
  });

  it.each(['', '12345', '1234567', 'abcdef', '12 345', '１２３４５６'])('are not %j', (code) => {
    expect(stepOfCode(newSeed(), code, NOW)).toBeNull();
  });
});

describe('a seed', () => {
  it('S21: is sealed with a key that lies elsewhere, for its owner alone, and differently each time', () => {
    const key = sealingKey('a pepper of more than thirty-two characters');
    const [one, two] = [seal(key, 'SEED', 'ada'), seal(key, 'SEED', 'ada')];
    expect(one.equals(two)).toBe(false);
    expect(one.includes('SEED')).toBe(false);
    expect(open(key, one, 'ada')).toBe('SEED');
    expect(() => open(key, one, 'eve')).toThrow();
    expect(() => open(sealingKey('another pepper'), one, 'ada')).toThrow();
    const changed = Buffer.from(one);
    changed[changed.length - 1]! ^= 1;
    expect(() => open(key, changed, 'ada')).toThrow();
  });
});

describe('backup codes', () => {
  it('S27: are ten of 65 secret bits each, with a part that tells them apart', () => {
    const codes = newBackupCodes();
    expect(codes).toHaveLength(BACKUP_CODES);
    expect(new Set(codes.map(({ selector }) => selector)).size).toBe(10);
    for (const code of codes)
      expect(shownBackupCode(code)).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{5}){2}-[0-9A-HJKMNP-TV-Z]{3}$/);
  });

  it('are read as people type them', () => {
    const code = newBackupCodes()[0]!;
    const shown = shownBackupCode(code);
    for (const typed of [
      shown,
      shown.toLowerCase(),
      ` ${shown.replaceAll('-', ' ')} `,
      shown.replaceAll('0', 'o').replaceAll('1', 'l'),
    ])
      expect(readBackupCode(typed)).toEqual(code);
    for (const typed of ['', 'x', shown.slice(1), `${shown}0`, shown.replace(/.$/, '!')])
      expect(readBackupCode(typed)).toBeNull();
  });
});
