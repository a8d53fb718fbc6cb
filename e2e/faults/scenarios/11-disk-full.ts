import { checkAnswers } from '../answers.js';
import { rmSync, statSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';

/** What `ulimit -f` counts in. */
const BLOCK = 512;

/**
 * The disk of Redis is full: a limit on the size of its files stands in for it, since only root could fill a disk of its own. Writes
 * beyond it fail, as they do on a full disk; with `appendfsync always` Redis then ends itself rather than acknowledge.
 */
export const diskFull: Scenario = {
  number: 11,
  name: 'disk-full',
  promise: 'the disk under Redis is full: 503, then heals; accepted pushes complete',
  platform: { limitedRedis: true },
  async run(stage) {
    const { redis } = stage.platform;
    const load = stage.load({
      sites: await stage.sites(stage.scale(150, 30)),
      lanes: 24,
      perSecond: stage.scale(400, 150),
    });
    await stage.pass(2_000);
    const limitFile = join(redis.folder, 'limit');
    writeFileSync(
      limitFile,
      String(Math.ceil(largestFile(redis.folder) / BLOCK) + (stage.scale(2_048, 512) * 1_024) / BLOCK),
    );
    await redis.restart();
    await stage.until('Redis to end at a full disk', () => ended(stage), 60_000);
    // Whoever watches over Redis starts it again and again; on a full disk it comes up, reads, and ends at the next write.
    let starts = 0;
    const end = performance.now() + stage.scale(10_000, 3_000);
    while (performance.now() < end) {
      if (await ended(stage)) {
        starts++;
        await redis.restart().catch(() => undefined);
      }
      await stage.pass(300);
    }
    stage.note(`${starts} starts on a full disk`);
    stage.check(
      'pushes are answered with 503 meanwhile',
      [...stage.client.answers.keys()].some((name) => name.startsWith('503')),
    );
    rmSync(limitFile);
    await redis.restart();
    const before = stage.ledger.accepted;
    const took = await stage.until('pushes to be accepted again', () => stage.ledger.accepted > before);
    stage.note(`accepted again after ${took} ms`);
    await stage.pass(2_000);
    await load.stop();
    checkAnswers(stage);
  },
};

async function ended(stage: Stage): Promise<boolean> {
  return stage.platform.streams.ping().then(
    () => false,
    () => true,
  );
}

function largestFile(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Math.max(0, ...files.map((file) => statSync(join(file.parentPath, file.name)).size));
}
