import { describe, expect, it } from '@jest/globals';
import { parseRedisUrl, RedisUrlError } from './redis-url.js';

describe('parseRedisUrl', () => {
  it('takes one server as it is', () => {
    expect(parseRedisUrl('redis://u:p@10.0.0.1:6380/2')).toEqual({
      kind: 'server',
      url: 'redis://u:p@10.0.0.1:6380/2',
    });
  });

  it('reads sentinels with the name of their master, credentials and TLS', () => {
    expect(parseRedisUrl('redis+sentinel://127.0.0.1:26380,sentinel-b,[::1]:26381/patchwatch')).toEqual({
      kind: 'sentinel',
      tls: false,
      master: 'patchwatch',
      nodes: [
        { host: '127.0.0.1', port: 26_380 },
        { host: 'sentinel-b', port: 26_379 },
        { host: '::1', port: 26_381 },
      ],
    });
    expect(parseRedisUrl('rediss+sentinel://app:p%40ss@a:1/m')).toMatchObject({
      tls: true,
      username: 'app',
      password: 'p@ss',
    });
  });

  it('reads the nodes of a cluster', () => {
    expect(parseRedisUrl('redis+cluster://:secret@a:7000,b')).toEqual({
      kind: 'cluster',
      tls: false,
      password: 'secret',
      nodes: [
        { host: 'a', port: 7_000 },
        { host: 'b', port: 6_379 },
      ],
    });
  });

  it.each([
    ['http://127.0.0.1', 'must begin with redis://'],
    ['nothing', 'is not a URL'],
    ['redis+sentinel://:hidden@a:1', 'lacks the name of the master'],
    ['redis+cluster://:hidden@a:1/2', 'one only'],
    ['redis+cluster://:hidden@a:1,b:99999', 'not host:port'],
    ['redis+ring://:hidden@a:1', 'redis+cluster://'],
  ])('says what is wrong with %s and repeats no password', (text, reason) => {
    const read = (): unknown => parseRedisUrl(text);
    expect(read).toThrow(RedisUrlError);
    expect(read).toThrow(reason);
    expect(read).not.toThrow('hidden');
  });
});
