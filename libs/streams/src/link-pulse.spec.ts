import { describe, expect, it } from '@jest/globals';
import { LinkPulse } from './link-pulse.js';
import type { RedisConnection } from './redis-connection.js';

const slave = (i: number, state: string, lag: number): string =>
  `slave${i}:ip=10.0.0.${i},port=6379,state=${state},offset=1000,lag=${lag}\r\n`;

/** A connection to servers of which each answers as told. */
function serversSaying(...infos: (string | Error)[]): RedisConnection {
  const nodes = infos.map((info) => ({
    run: (command: (client: unknown) => unknown) =>
      info instanceof Error ? Promise.reject(info) : command({ ping: async () => 'PONG', info: async () => info }),
  }));
  return { name: 'test', nodes: () => nodes } as unknown as RedisConnection;
}

const healthOf = async (connection: RedisConnection, replicas = 0) => {
  const pulse = new LinkPulse(connection, replicas);
  await pulse.ask();
  return pulse.health();
};

describe('LinkPulse', () => {
  it('is green when every server answers, red when one does not, and before any is known', async () => {
    expect(await healthOf(serversSaying('', ''))).toEqual({ ok: true, detail: 'test' });
    expect(await healthOf(serversSaying('', new Error('no reply')))).toEqual({ ok: false, detail: 'no reply' });
    expect((await healthOf(serversSaying())).ok).toBe(false);
  });

  it('counts the replicas that follow closely where some must confirm: too few of one server are too few', async () => {
    const one = slave(0, 'online', 1);
    expect((await healthOf(serversSaying(one, one + slave(1, 'online', 0)), 1)).ok).toBe(true);
    for (const lacking of ['role:master\r\n', slave(0, 'wait_bgsave', 0), slave(0, 'online', 60)])
      expect(await healthOf(serversSaying(one, lacking), 1)).toEqual({
        ok: false,
        detail: 'a server has 0 of 1 replicas',
      });
    expect((await healthOf(serversSaying('role:master\r\n'))).ok).toBe(true);
  });
});
