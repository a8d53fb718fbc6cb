import { checkAnswers } from '../answers.js';
import { QUEUES } from '#libs/contracts';
import type { Scenario } from '../scenario.js';

export const stampede: Scenario = {
  number: 19,
  name: 'stampede',
  promise: '100,000 pushes as fast as they come: only 202, 429, 503; drained in the computed time',
  async run(stage) {
    const { platform } = stage;
    const wanted = stage.scale(100_000, 2_000);
    const sites = await stage.sites(stage.scale(600, 60));
    const started = performance.now();
    // As at the full hour: most sites have nothing new.
    const load = stage.load({
      sites,
      lanes: 96,
      count: wanted,
      mix: ['changed', 'heartbeat', 'unchanged', 'heartbeat', 'unchanged', 'unchanged', 'heartbeat', 'unchanged'],
    });
    await stage.done(`${wanted} pushes to be accepted`, load.done(), 540_000);
    const seconds = (performance.now() - started) / 1_000;
    stage.note(
      `${stage.ledger.accepted} accepted in ${seconds.toFixed(1)} s, ${Math.round(stage.ledger.accepted / seconds)} a second`,
    );
    checkAnswers(stage, 429);

    const backlog = async (): Promise<number> => {
      let sum = 0;
      for (let partition = 0; partition < platform.partitions; partition++) {
        sum += await platform.streams.xlen(`pw:{${QUEUES.ingestPushes.name}.${partition}}`);
      }
      return sum;
    };
    const atEnd = await backlog();
    if (atEnd < 1_000) {
      stage.note(`only ${atEnd} were waiting at its end: ingest kept up`);
      return;
    }
    // The rate at which it drains now says how long the rest may take.
    await stage.pass(3_000);
    const left = await backlog();
    const rate = (atEnd - left) / 3;
    const computed = left / rate;
    const took = await stage.until('the backlog to drain', async () => (await backlog()) === 0, 300_000);
    stage.check(
      'drained in the computed time',
      took / 1_000 <= computed * 1.3 + 2,
      `${atEnd} waiting, ${Math.round(rate)} a second: ${computed.toFixed(1)} s computed, ${(took / 1_000).toFixed(1)} s taken`,
    );
  },
};
