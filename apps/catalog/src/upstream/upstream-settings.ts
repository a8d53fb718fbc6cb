import { isIP } from 'node:net';

/** Where Drupal.org is, and how hard it may be asked. */
export interface UpstreamSettings {
  /** Base of `/release-history/<project>/current`. */
  readonly historyBase: string;
  /** Base of `/security/all/rss.xml`. */
  readonly advisoryBase: string;
  /** The configured upstream is on this machine or in a private network: such targets are allowed, and only then. */
  readonly local: boolean;
  /** Requests under way at once, per host. */
  readonly concurrency: number;
  /** Requests a second, per host. */
  readonly ratePerSecond: number;
  readonly timeoutMs: number;
}

/** Drupal.org's update service serves no advisories; its web site does. */
const UPDATES = 'https://updates.drupal.org';
const WEBSITE = 'https://www.drupal.org';

/**
 * @param configured base URL; Drupal.org's own stands for its two hosts, any other serves both paths
 * @param env `PATCHWATCH_UPSTREAM_CONCURRENCY`, `PATCHWATCH_UPSTREAM_RATE` (requests a second), `PATCHWATCH_UPSTREAM_TIMEOUT_MS`
 * @throws Error when a setting is no positive number
 */
export function upstreamSettings(
  configured: string,
  env: Readonly<Record<string, string | undefined>> = {},
): UpstreamSettings {
  const base = configured.replace(/\/+$/, '');
  const drupalOrg = base === UPDATES || base === WEBSITE;
  const local = isLocalName(new URL(base).hostname);
  const read = (name: string, fallback: number): number => {
    const value = env[name];
    if (value === undefined || value === '') return fallback;
    if (!(Number(value) > 0)) throw new Error(`${name} must be a positive number, not "${value}"`);
    return Number(value);
  };
  return {
    historyBase: drupalOrg ? UPDATES : base,
    advisoryBase: drupalOrg ? WEBSITE : base,
    local,
    concurrency: Math.floor(read('PATCHWATCH_UPSTREAM_CONCURRENCY', local ? 16 : 4)),
    ratePerSecond: read('PATCHWATCH_UPSTREAM_RATE', local ? 2_000 : 5),
    timeoutMs: read('PATCHWATCH_UPSTREAM_TIMEOUT_MS', 20_000),
  };
}

/** A name without a dot is a neighbour (a container, a host file's entry); it cannot be on the internet. */
function isLocalName(hostname: string): boolean {
  const name = hostname.replace(/^\[|\]$/g, '');
  if (isIP(name)) return !isPublicAddress(name);
  return !name.includes('.') || name.endsWith('.localhost') || name.endsWith('.internal') || name.endsWith('.local');
}

/**
 * Whether `address` (an IP in its canonical form, as a resolver answers) lies on the public internet: not loopback, private, link-local,
 * carrier-grade NAT, unique local, multicast, unspecified or reserved, and no IPv6 form that carries such an IPv4 address.
 */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return isPublicV4(address.split('.').map(Number));
  if (family !== 6) return false;
  const words = expandV6(address);
  const embedded = [words[6]! >> 8, words[6]! & 255, words[7]! >> 8, words[7]! & 255];
  const zeros = (from: number, to: number) => words.slice(from, to).every((word) => word === 0);
  if (zeros(0, 5) && (words[5] === 0xffff || words[5] === 0)) return words[5] === 0xffff && isPublicV4(embedded);
  if (words[0] === 0x64 && words[1] === 0xff9b) return zeros(2, 6) && isPublicV4(embedded);
  if (words[0] === 0x2002) return isPublicV4([words[1]! >> 8, words[1]! & 255, words[2]! >> 8, words[2]! & 255]);
  // Only 2000::/3 is given out; of it, 2001:0::/32 (Teredo) and the documentation prefix are not hosts.
  return (
    words[0]! >> 13 === 1 && !(words[0] === 0x2001 && (words[1] === 0 || words[1] === 0xdb8)) && words[0] !== 0x3fff
  );
}

function isPublicV4([a = 0, b = 0, c = 0]: readonly number[]): boolean {
  if (a === 0 || a === 10 || a === 127 || a >= 224) return false;
  if (a === 100 && b >= 64 && b < 128) return false;
  if (a === 169 && b === 254) return false;
  if (a === 172 && b >= 16 && b < 32) return false;
  if (a === 192 && (b === 168 || (b === 0 && (c === 0 || c === 2)) || (b === 88 && c === 99))) return false;
  if (a === 198 && (b === 18 || b === 19 || (b === 51 && c === 100))) return false;
  return !(a === 203 && b === 0 && c === 113);
}

function expandV6(address: string): number[] {
  let text = address.replace(/%.*$/, '');
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (dotted) {
    const [, head, a, b, c, d] = dotted;
    text = `${head}${((Number(a) << 8) | Number(b)).toString(16)}:${((Number(c) << 8) | Number(d)).toString(16)}`;
  }
  const [head = '', tail] = text.split('::');
  const left = head ? head.split(':') : [];
  const right = tail ? tail.split(':') : [];
  const gap = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...gap, ...right].map((word) => Number.parseInt(word, 16));
}
