import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { KEY_KINDS } from './api-key.entity.js';
import { isKeyOf, newKey, publicIdOfKey, publicIdOfSiteKey, SITE_KEY_PATTERN } from './site-key.js';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The key with one character changed, the underscores left alone. */
function withTypingError(key: string): string {
  for (;;) {
    const at = randomInt('pw_site_'.length, key.length);
    if (key[at] === '_') continue;
    const other = ALPHABET[(ALPHABET.indexOf(key[at]!) + 1 + randomInt(61)) % 62]!;
    if (other !== key[at]) return key.slice(0, at) + other + key.slice(at + 1);
  }
}

/** Files of the repository that people write. */
function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (/\.(ts|mjs|cjs|md|json|ya?ml|html|sh|txt)$/.test(entry.name) && statSync(path).size < 2_000_000)
      yield path;
  }
}

describe('S50: the repository', () => {
  it('holds no key: nothing in it has the form and a right checksum', () => {
    const found: string[] = [];
    let files = 0;
    for (const folder of ['apps', 'libs', 'tools', 'e2e', 'docs']) {
      for (const path of sources(join(process.cwd(), folder))) {
        files++;
        const texts = readFileSync(path, 'utf8').match(/pw_[a-z]+_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}/g) ?? [];
        if (texts.some((text) => KEY_KINDS.some((kind) => publicIdOfKey(kind, text) !== null))) found.push(path);
      }
    }
    expect(found).toEqual([]);
    expect(files).toBeGreaterThan(500);
    // And it would be found.
    expect(publicIdOfKey('integration', newKey('integration').text)).not.toBeNull();
  });
});

describe('S44: a site key', () => {
  it('has the published form, and no two are alike', () => {
    const keys = Array.from({ length: 10_000 }, () => newKey('site'));
    for (const key of keys) {
      expect(key.text).toMatch(SITE_KEY_PATTERN);
      expect(publicIdOfSiteKey(key.text)).toBe(key.publicId);
    }
    expect(new Set(keys.map((key) => key.text)).size).toBe(keys.length);
  });

  it('with one wrong character is refused without asking anybody', () => {
    for (let i = 0; i < 5_000; i++) {
      expect(publicIdOfSiteKey(withTypingError(newKey('site').text))).toBeNull();
    }
  });

  it('is recognised by its hash alone, and S45: a right checksum authorises nothing', () => {
    const mine = newKey('site');
    const other = newKey('site');
    expect(isKeyOf(mine.secretHash, mine.text)).toBe(true);
    expect(isKeyOf(mine.secretHash, other.text)).toBe(false);
  });

  it.each([
    '',
    'pw_site_',
    'x'.repeat(55),
    `pw_site_${'ä'.repeat(47)}`,
    newKey('integration').text,
    `${newKey('site').text}\n`,
  ])('is not %j', (text) => {
    expect(publicIdOfSiteKey(text)).toBeNull();
  });

  it('uses every character of its alphabet about equally often', () => {
    const counts = new Map<string, number>();
    const secrets = Array.from({ length: 5_000 }, () => newKey('site').text.slice(17, 49)).join('');
    for (const character of secrets) counts.set(character, (counts.get(character) ?? 0) + 1);
    const mean = secrets.length / 62;
    expect(counts.size).toBe(62);
    // 2,580 expected each; seven standard deviations.
    for (const count of counts.values()) expect(Math.abs(count - mean)).toBeLessThan(7 * Math.sqrt(mean));
  });
});
