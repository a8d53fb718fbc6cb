import { afterAll, afterEach, beforeAll, describe, it } from '@jest/globals';
import { testRedis } from '#libs/testing';
import type { TestRedis } from '#libs/testing';
import type { StreamsObserver } from '../observer.js';
import { Stage } from './stage.js';
import { inMemoryWorld, redisWorld } from './world.js';

export type Guarantee = (
  sentence: string,
  proof: (stage: Stage, lost: { groups: number; streams: number }) => Promise<void>,
) => void;

/** Proves each guarantee on Redis and in memory. `lost.groups` counts groups that had to be made, `lost.streams` streams that were gone. */
export function onBothBrokers(name: string, define: (guarantee: Guarantee) => void): void {
  describe(`${name} (in memory)`, () => {
    define((sentence, proof) =>
      it(sentence, async () => {
        const stage = new Stage(await inMemoryWorld());
        await proof(stage, { groups: 0, streams: 0 });
        await stage.end();
      }));
  });

  describe(`${name} (Redis)`, () => {
    let redis: TestRedis;
    let stage: Stage | undefined;
    beforeAll(async () => {
      redis = await testRedis();
    });
    afterAll(async () => {
      await redis.stop();
    });
    afterEach(async () => {
      await stage?.end();
      stage = undefined;
    });
    define((sentence, proof) =>
      it(sentence, async () => {
        const lost = { groups: 0, streams: 0 };
        const observer: StreamsObserver = {
          groupCreated: (_queue, _partition, _by, cause) => {
            lost.groups++;
            if (cause === 'stream_lost') lost.streams++;
          },
        };
        stage = new Stage(await redisWorld(redis.url, observer));
        await proof(stage, lost);
      }));
  });
}
