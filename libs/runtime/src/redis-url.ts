/** Where a server listens. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

interface Credentials {
  readonly username?: string;
  readonly password?: string;
  /** `rediss…`: the links are encrypted. */
  readonly tls: boolean;
}

/** A server, or how to find the server that has the say now. */
export type RedisUrl =
  | { readonly kind: 'server'; readonly url: string }
  /** Sentinels know which server of `master` leads. The credentials are the servers'. */
  | (Credentials & { readonly kind: 'sentinel'; readonly nodes: readonly HostAndPort[]; readonly master: string })
  /** Any of the nodes tells which shard has which keys. */
  | (Credentials & { readonly kind: 'cluster'; readonly nodes: readonly HostAndPort[] });

/** The text is no address of a Redis. The message never repeats it: it may hold a password. */
export class RedisUrlError extends Error {
  constructor(message: string) {
    super(message);
    this.name = RedisUrlError.name;
  }
}

const FORM = /^redis(s?)\+(sentinel|cluster):\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^/?#]*))?$/;
const NODE = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/;
const DEFAULT_PORTS = { sentinel: 26_379, cluster: 6_379 };

/**
 * Reads one of
 *
 *   redis://[user:password@]host:port[/db]                          one server
 *   redis+sentinel://[user:password@]host:port,host:port/<master>   the server that these sentinels name
 *   redis+cluster://[user:password@]host:port,host:port             a Redis Cluster; these nodes are asked first
 *
 * and the same with `rediss` for TLS.
 * @throws RedisUrlError
 */
export function parseRedisUrl(text: string): RedisUrl {
  const form = FORM.exec(text);
  if (form === null) {
    if (/^rediss?\+/.test(text))
      throw new RedisUrlError('must read redis+sentinel://host:port,…/master or redis+cluster://host:port,…');
    if (!URL.canParse(text)) throw new RedisUrlError('is not a URL');
    if (!['redis:', 'rediss:'].includes(new URL(text).protocol)) throw new RedisUrlError('must begin with redis://');
    return { kind: 'server', url: text };
  }
  const [, tls, kind, userinfo, hosts, path] = form as unknown as [
    string,
    string,
    'sentinel' | 'cluster',
    string?,
    string?,
    string?,
  ];
  const nodes = hosts!.split(',').map((host) => nodeOf(host, DEFAULT_PORTS[kind]));
  const given = { ...credentials(userinfo), tls: tls === 's', nodes };
  if (kind === 'cluster') {
    if (path) throw new RedisUrlError('names a database, and a Redis Cluster has one only: end it after the nodes');
    return { kind, ...given };
  }
  if (!path) throw new RedisUrlError('lacks the name of the master that the sentinels watch: …/<master>');
  return { kind, ...given, master: decodeURIComponent(path) };
}

function nodeOf(text: string, defaultPort: number): HostAndPort {
  const [, host, port] = NODE.exec(text.trim()) ?? [];
  const number = port === undefined ? defaultPort : Number(port);
  if (host === undefined || number < 1 || number > 65_535)
    throw new RedisUrlError('has a node that is not host:port (several are separated by commas)');
  return { host: host.replace(/^\[|\]$/g, ''), port: number };
}

function credentials(userinfo: string | undefined): { username?: string; password?: string } {
  if (!userinfo) return {};
  const colon = userinfo.indexOf(':');
  const username = decodeURIComponent(colon < 0 ? userinfo : userinfo.slice(0, colon));
  const password = colon < 0 ? '' : decodeURIComponent(userinfo.slice(colon + 1));
  return { ...(username && { username }), ...(password && { password }) };
}
