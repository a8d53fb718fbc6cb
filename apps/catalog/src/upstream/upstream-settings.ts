import { ipFamily, isPublicAddress } from './public-address.js';

/** Where Drupal.org is, and how hard it may be asked. */
export interface UpstreamSettings {
  /** Base of `/release-history/<project>/current`. */
  readonly historyBase: string;
  /** Base of `/security/all/rss.xml` and `/api-d7/node.json`. */
  readonly advisoryBase: string;
  /** The configured upstream is on this machine or in a private network: such targets are allowed, and only then. */
  readonly local: boolean;
  /** Requests under way at once to the host of release histories. */
  readonly concurrency: number;
  /** The same for the host of advisories, whose owners ask for one at a time. */
  readonly advisoryConcurrency: number;
  /** Requests a second, per host. */
  readonly ratePerSecond: number;
  /** All replicas together keep that rate; where nobody else is asked, each keeps its own. */
  readonly sharedRate: boolean;
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
  const concurrency = Math.max(1, Math.floor(read('PATCHWATCH_UPSTREAM_CONCURRENCY', local ? 16 : 4)));
  return {
    historyBase: drupalOrg ? UPDATES : base,
    advisoryBase: drupalOrg ? WEBSITE : base,
    local,
    concurrency,
    advisoryConcurrency: drupalOrg ? 1 : concurrency,
    sharedRate: !local,
    ratePerSecond: read('PATCHWATCH_UPSTREAM_RATE', local ? 2_000 : 5),
    timeoutMs: read('PATCHWATCH_UPSTREAM_TIMEOUT_MS', 20_000),
  };
}

/** A name without a dot is a neighbour (a container, a host file's entry); it cannot be on the internet. */
function isLocalName(hostname: string): boolean {
  const name = hostname.replace(/^\[|\]$/g, '');
  if (ipFamily(name) !== 0) return !isPublicAddress(name);
  return !name.includes('.') || name.endsWith('.localhost') || name.endsWith('.internal') || name.endsWith('.local');
}
