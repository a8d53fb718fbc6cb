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
  /** The one that tags, and the one before it, if there is one. */
  private readonly keys: readonly Buffer[];

  /**
   * @param secret the one of the tokens; the key here is derived from it and is another
   * @param previous what was the secret until a short while ago, or null: its devices are known, and tagged anew with their next log-in
   */
  constructor(secret: string, previous: string | null = null) {
    this.keys = [secret, ...(previous === null ? [] : [previous])].map((text) =>
      Buffer.from(hkdfSync('sha256', text, '', 'patchwatch known devices', 32)),
    );
  }

  /** Names the device, when it is known for the account (its e-mail address); null: it is not. */
  deviceOf(token: string | null | undefined, account: string): string | null {
    const [, device, tags] = FORM.exec(token ?? '') ?? [];
    if (device === undefined || tags === undefined) return null;
    const own = this.tags(device, account).map((tag) => Buffer.from(tag));
    const known = (tag: string): boolean => own.some((one) => timingSafeEqual(Buffer.from(tag), one));
    return tags.split('.').some((tag) => tag !== '' && known(tag)) ? device : null;
  }

  /** The token by which the device is known for `account` from now on, and for those that it was known for. */
  give(token: string | null | undefined, account: string): string {
    const [, device = randomBytes(16).toString('base64url'), tags = ''] = FORM.exec(token ?? '') ?? [];
    const own = this.tags(device, account);
    const others = tags.split('.').filter((tag) => tag !== '' && !own.includes(tag));
    return ['pwd', device, own[0], ...others.slice(0, MOST_ACCOUNTS - 1)].join('.');
  }

  /** By each key, the one that tags first. */
  private tags(device: string, account: string): string[] {
    const who = hash('sha256', account.toLowerCase());
    return this.keys.map((key) =>
      createHmac('sha256', key).update(`${device}.${who}`).digest().subarray(0, 16).toString('base64url'),
    );
  }
}
