import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Playhouse } from './playhouse.js';
import { chosen, EVERYDAY } from './scenarios/index.js';

/**
 * The short selection of the disasters: real processes, shortened durations, the same code as `npm run test:faults`. Every accepted push
 * ends as exactly one receipt or one dead letter, whatever dies meanwhile.
 */
let folder: string;
let playhouse: Playhouse;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'patchwatch-faults-'));
  playhouse = new Playhouse({ short: true, folder, say: () => undefined });
});
afterAll(async () => {
  await playhouse.close();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

// A third of a minute would do for each on a machine of its own. A scenario gives itself up long before this limit, and the next one gets
// another platform; were it left to this limit, it would go on beside the next one.
it.each(chosen(EVERYDAY.map(String)))(
  '$number $name: $promise',
  async (scenario) => {
    const outcome = await playhouse.play(scenario);
    expect(outcome.problems).toEqual([]);
    expect(outcome).toMatchObject({ verdict: 'kept', lost: 0, invented: 0 });
    expect(outcome.accepted).toBeGreaterThan(20);
  },
  420_000,
);
