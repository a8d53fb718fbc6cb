import { createHmac, hash, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

const FORM = /^pwd\.([\w-]{22})((?:\.[\w-]{22}){1,5})$/;
/** People who share a browser; the one who was there longest ago is forgotten for a sixth. */
const MOST_ACCOUNTS = 5;

/**
 * Knows browsers by a cookie that they got at a log-in: `pwd.<random>.<tag>…`, a tag for each account that was logged in to from there. A tag is
 * an HMAC, so that nothing is stored and nobody can make one. It opens nothing: it tells that whoever tries to log in has done so from here
 * before, so that strangers who guess cannot lock her out (S11), and that she need not be written to (S43).
 */
export class KnownDevices {
  private readonly key: Buffer;

  /** @param secret the one of the tokens; the key here is derived from it and is another. */
  constructor(secret: string) {
    this.key = Buffer.from(hkdfSync('sha256', secret, '', 'patchwatch known devices', 32));
  }

  /** Names the device, when it is known for the account (its e-mail address); null: it is not. */
  deviceOf(token: string | null | undefined, account: string): string | null {
    const [, device, tags] = FORM.exec(token ?? '') ?? [];
    if (device === undefined || tags === undefined) return null;
    const own = Buffer.from(this.tag(device, account));
    return tags.split('.').some((tag) => tag !== '' && timingSafeEqual(Buffer.from(tag), own)) ? device : null;
  }

  /** The token by which the device is known for `account` from now on, and for those that it was known for. */
  give(token: string | null | undefined, account: string): string {
    const [, device = randomBytes(16).toString('base64url'), tags = ''] = FORM.exec(token ?? '') ?? [];
    const own = this.tag(device, account);
    const others = tags.split('.').filter((tag) => tag !== '' && tag !== own);
    return ['pwd', device, own, ...others.slice(0, MOST_ACCOUNTS - 1)].join('.');
  }

  private tag(device: string, account: string): string {
    const who = hash('sha256', account.toLowerCase());
    return createHmac('sha256', this.key).update(`${device}.${who}`).digest().subarray(0, 16).toString('base64url');
  }
}
