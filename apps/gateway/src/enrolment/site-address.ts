/**
 * The address of a site in the one form in which two of them can be compared: scheme and host in lower case, no default port, no
 * trailing slash, neither query nor fragment. `http` and `https` are the same site: a site that begins to use TLS does not become another.
 */
export function siteAddress(url: string): string {
  const { host, pathname } = new URL(url.replace(/^http:/i, 'https:').replace(/^(https:\/\/[^/]*):80(?=\/|$)/i, '$1'));
  return `https://${host}${pathname.replace(/\/+$/, '')}`;
}
