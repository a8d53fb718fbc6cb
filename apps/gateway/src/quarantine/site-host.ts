/** Longer addresses of sites there are not. */
const LONGEST = 2048;

/**
 * The host of an address in the one form in which two of them can be compared: lower case, no `www.`, no trailing dot, no port that is a default of
 * http or https; scheme, path and user do not matter. null for what names no host that could be told from others: no http(s) address at all,
 * and what Drush and developers say when they know none (`http://default`, `localhost`, loopback).
 */
export function siteHost(url: string): string | null {
  const parsed = httpAddress(url);
  if (parsed === null) return null;
  const name = parsed.hostname.replace(/\.+$/, '');
  if (isNobodys(name)) return null;
  const bare = name.replace(/^www\.(?=.*\.)/, '');
  return parsed.port === '' || parsed.port === '80' || parsed.port === '443' ? bare : `${bare}:${parsed.port}`;
}

/** Whether a host, as `siteHost` gives it, is known beyond one network: a bare name like `intranet` can be anybody's. */
export function isWorldly(host: string): boolean {
  return host.includes('.') || host.startsWith('[');
}

/** An address as people may see and take it over: without user, password, query and fragment. null: it is none of http(s). */
export function presentableAddress(url: string): string | null {
  const parsed = httpAddress(url);
  if (parsed === null) return null;
  const { protocol, host, pathname } = parsed;
  const whole = `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
  return whole.length <= LONGEST ? whole : `${protocol}//${host}`;
}

function httpAddress(url: string): URL | null {
  if (!URL.canParse(url)) return null;
  const parsed = new URL(url);
  return parsed.protocol === 'http:' || parsed.protocol === 'https:' ? parsed : null;
}

/** The URL parser has made lower case of it, and the usual form of any IP address. */
function isNobodys(name: string): boolean {
  return (
    name === '' ||
    name === 'default' ||
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '0.0.0.0' ||
    name === '[::]' ||
    name === '[::1]' ||
    /^127\.\d+\.\d+\.\d+$/.test(name) ||
    name.startsWith('[::ffff:7f')
  );
}
