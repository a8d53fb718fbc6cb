import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Playhouse } from './playhouse.js';
import { chosen, EVERYDAY } from './scenarios/index.js';

/**
 * The short selection of the disasters: real processes, shortened durations, the same code as `npm run test:faults`. Every accepted push
 * ends as exactly one receipt or one dead letter, whatever dies meanwhile.
 */
// Two in every run; all of the selection with PATCHWATCH_TEST_FAULTS=1: "poison" was seen to take minutes beside other suites.
const PLAYED = process.env['PATCHWATCH_TEST_FAULTS'] ? EVERYDAY.map(String) : ['2', '9'];
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

// A minute would do for each on a machine of its own; the time limit is for one that does other things as well.
it.each(chosen(PLAYED))(
  '$number $name: $promise',
  async (scenario) => {
    const outcome = await playhouse.play(scenario);
    expect(outcome.problems).toEqual([]);
    expect(outcome).toMatchObject({ verdict: 'kept', lost: 0, invented: 0 });
    expect(outcome.accepted).toBeGreaterThan(20);
  },
  300_000,
);
