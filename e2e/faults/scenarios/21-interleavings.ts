import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Scenario } from '../scenario.js';

const SPEC = 'libs/streams/src/conformance/interleavings.spec.ts';

/** The property test is a suite of libs/streams; here it is run, beside a little load, and its verdict is taken over. */
export const interleavings: Scenario = {
  number: 21,
  name: 'interleavings',
  promise: `any interleaving of read, commit, acknowledgement, crash and claim, with a seeded scheduler (${SPEC})`,
  async run(stage) {
    const load = stage.load({ sites: await stage.sites(10), lanes: 4, perSecond: 50 });
    const { code, output } = await stage.done(`${SPEC} to end`, jest(), 300_000);
    await load.stop();
    const summary = /Tests:.*$/m.exec(output)?.[0] ?? 'no summary';
    stage.check('the property test passes', code === 0, code === 0 ? summary : output.slice(-1_500));
  },
};

function jest(): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const args = [
      '--no-warnings',
      '--experimental-vm-modules',
      join('node_modules', 'jest', 'bin', 'jest.js'),
      '--runInBand',
      SPEC,
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
