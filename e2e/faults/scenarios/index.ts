import type { Scenario } from '../scenario.js';
import { consumersKilled } from './01-consumers-killed.js';
import { deathAfterCommit } from './02-death-after-commit.js';
import { deathAfterRead } from './03-death-after-read.js';
import { redisKilled } from './04-redis-killed.js';
import { redisEmptied } from './05-redis-emptied.js';
import { postgresAway } from './06-postgres-away.js';
import { poison } from './07-poison.js';
import { badDeploy } from './08-bad-deploy.js';
import { repeatsAndClocks } from './09-repeats-and-clocks.js';
import { redisFull } from './10-redis-full.js';
import { diskFull } from './11-disk-full.js';
import { brokenLinks } from './12-broken-links.js';
import { rollingRestart } from './13-rolling-restart.js';
import { twoReleases } from './14-two-releases.js';
import { relays } from './15-relays.js';
import { stoppedConsumer } from './16-stopped-consumer.js';
import { hostileBodies } from './17-hostile-bodies.js';
import { replay } from './18-replay.js';
import { stampede } from './19-stampede.js';
import { questions } from './20-questions.js';
import { interleavings } from './21-interleavings.js';
import { sentinelFailover } from './22-sentinel-failover.js';
import { clusterResharding } from './23-cluster-resharding.js';
import { sentinelTwice } from './24-sentinel-twice.js';
import { factsLost } from './25-facts-lost.js';

/** In the order of the list of disasters. */
export const SCENARIOS: readonly Scenario[] = [
  consumersKilled,
  deathAfterCommit,
  deathAfterRead,
  redisKilled,
  redisEmptied,
  postgresAway,
  poison,
  badDeploy,
  repeatsAndClocks,
  redisFull,
  diskFull,
  brokenLinks,
  rollingRestart,
  twoReleases,
  relays,
  stoppedConsumer,
  hostileBodies,
  replay,
  stampede,
  questions,
  interleavings,
  sentinelFailover,
  clusterResharding,
  sentinelTwice,
  factsLost,
];

/** Those that every run of the tests plays, in short. */
export const EVERYDAY = [1, 2, 4, 7, 9, 12, 15];

/** The scenarios that `words` name, by number or by a part of the name; all of them when there are no words. @throws Error for one that names none */
export function chosen(words: readonly string[]): Scenario[] {
  const found = words.map((word) => {
    const matching = SCENARIOS.filter(
      ({ number, name }) => String(number) === word || (!/^\d+$/.test(word) && name.includes(word)),
    );
    if (matching.length === 0) {
      throw new Error(
        `no scenario is called "${word}"; there are ${SCENARIOS.map(({ number, name }) => `${number} ${name}`).join(', ')}`,
      );
    }
    return matching;
  });
  return words.length === 0
    ? [...SCENARIOS]
    : SCENARIOS.filter((scenario) => found.some((some) => some.includes(scenario)));
}
