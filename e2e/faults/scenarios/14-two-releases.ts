import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scenario } from '../scenario.js';

const CONTRACT = 'dist/libs/contracts/src/events/gateway/push-received.v1.js';
/** Where the services' shared code is, file after file, each under its name. */
const CODE = join('dist', 'apps', 'chunks', 'src');

/**
 * A next release stands beside this one: the same sources as built, but pushes travel as version 2 of their message, which this release
 * does not know; nor does that one know version 1.
 */
export const twoReleases: Scenario = {
  number: 14,
  name: 'two-releases',
  promise: 'old and new message versions together: neither release dead-letters what only the other understands',
  async run(stage) {
    const { platform } = stage;
    const next = nextRelease();
    const [, newGateway] = platform.fleet('gateway');
    const [, newIngest] = platform.fleet('ingest');
    const changed = [newGateway!, newIngest!];
    try {
      for (const instance of changed) {
        instance.process.folder = next;
        await instance.restart();
      }
      const load = stage.load({
        sites: await stage.sites(stage.scale(80, 20)),
        lanes: 12,
        perSecond: stage.scale(120, 40),
      });
      await stage.pass(stage.scale(30_000, 6_000));
      stage.check('nothing is dead while both run', (await stage.dead()).length === 0);
      await load.stop();
      await stage.settle(180_000);
      // Roll back under load: what the new release still had in the queue waits for it.
      const back = stage.load({ sites: await stage.sites(10), lanes: 4, perSecond: 40 });
      await stage.pass(2_000);
      newIngest!.supervised = false;
      await newIngest!.process.stop();
      await stage.pass(stage.scale(8_000, 2_000));
      stage.check('nothing is dead while the new release is away', (await stage.dead()).length === 0);
      await newIngest!.start();
      newIngest!.supervised = true;
      await back.stop();
      await stage.settle(180_000);
    } finally {
      for (const instance of changed) {
        instance.process.folder = process.cwd();
        await instance.restart();
      }
      rmSync(next, { recursive: true, force: true });
    }
  },
};

function nextRelease(): string {
  const folder = mkdtempSync(join(tmpdir(), 'patchwatch-next-release-'));
  const here = process.cwd();
  for (const part of ['apps', 'packages'])
    cpSync(join(here, 'dist', part), join(folder, 'dist', part), { recursive: true });
  cpSync(join(here, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(here, 'node_modules'), join(folder, 'node_modules'));
  let changes = 0;
  for (const name of readdirSync(join(folder, CODE)).filter((file) => file.endsWith('.js'))) {
    const text = readFileSync(join(folder, CODE, name), 'utf8');
    const [before, contract, ...more] = text.split(`// ${CONTRACT}\n`);
    if (contract === undefined || more.length > 0) continue;
    const changed = contract.replace(/version: 1\b/, 'version: 2');
    // Only up to where the next file begins.
    if (changed === contract || contract.indexOf('version: 1') > contract.indexOf('\n// dist/')) continue;
    writeFileSync(join(folder, CODE, name), `${before}// ${CONTRACT}\n${changed}`);
    changes += 1;
  }
  // More than one where the chunk of the build before is still there; that one nobody asks for.
  if (changes === 0) throw new Error(`${CONTRACT} is in no chunk with a "version: 1" to change`);
  return folder;
}
