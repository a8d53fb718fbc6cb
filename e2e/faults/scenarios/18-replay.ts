import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { inParallel } from '../../../tools/cli/api-client.js';
import type { Scenario } from '../scenario.js';
import type { SiteAgent, SitePush } from '../site-agent.js';
import type { Stage } from '../stage.js';

export const replay: Scenario = {
  number: 18,
  name: 'replay',
  promise: 'dead letters replayed, the command killed half way and run again: each once; old ones superseded',
  async run(stage) {
    const { platform } = stage;
    const sites = await stage.sites(stage.scale(120, 30));
    const [bad, good] = [sites.slice(0, sites.length / 2), sites.slice(sites.length / 2)];
    const load = stage.load({ sites: good, lanes: 8, perSecond: stage.scale(150, 50) });
    await refuse(stage, bad);
    const pushes = bad.flatMap((site) => Array.from({ length: stage.scale(6, 3) }, () => site.next()));
    await inParallel(pushes, 4, (push) => accepted(stage, push));
    const dead = async (): Promise<number> =>
      (await stage.dead()).filter(({ code }) => code === 'data_rejected').length;
    await stage.until(`${pushes.length} pushes to die`, async () => (await dead()) === pushes.length, 120_000);
    await platform.query('DROP TRIGGER refuse ON ingest.receipts');
    await platform.query('DROP FUNCTION faults.refuse()');
    // Half of the sites have gone on meanwhile: what they sent before is old.
    const further = bad.filter((_, i) => i % 2 === 0);
    await inParallel(further, 4, (site) => accepted(stage, site.next()));
    await stage.until('what came after to be applied', async () => (await receipts(stage, further)) === further.length);

    const first = command(stage, stage.scale(100, 40));
    await stage.until('the replay to be half way', async () => (await dead()) <= pushes.length / 2);
    const killed = once(first, 'exit');
    first.kill('SIGKILL');
    await stage.done('the killed command to end', killed, 60_000);
    const left = await dead();
    stage.check(
      'the command was killed half way',
      left > 0 && left < pushes.length,
      `${left} of ${pushes.length} left`,
    );
    const second = command(stage, 1_000);
    const [code] = (await stage.done('the second run to end', once(second, 'exit'), 120_000)) as [number | null];
    stage.check('the second run ends well', code === 0, code);
    await load.stop();
    await stage.settle();
    stage.check('no letter is left', (await dead()) === 0, await dead());
    const [old] = await platform.query<{ superseded: number; all: number }>(
      `SELECT count(*) FILTER (WHERE state = 'superseded')::int AS superseded, count(*)::int AS all FROM ingest.receipts
       WHERE push_id = ANY($1::uuid[]) AND site_id = ANY($2::int[])`,
      [pushes.map(({ pushId }) => pushId), further.map(({ id }) => id)],
    );
    stage.check('what is old is superseded', old!.all > 0 && old!.superseded === old!.all, old);
  },
};

/** The database refuses what these sites send, as it does with data that it cannot take. */
async function refuse(stage: Stage, sites: readonly SiteAgent[]): Promise<void> {
  await stage.platform.query(`
    CREATE FUNCTION faults.refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      RAISE EXCEPTION 'made up: value out of range' USING ERRCODE = '22003';
    END $$`);
  await stage.platform.query(
    `CREATE TRIGGER refuse BEFORE INSERT ON ingest.receipts FOR EACH ROW
     WHEN (NEW.site_id = ANY (ARRAY[${sites.map(({ id }) => id).join(',')}])) EXECUTE FUNCTION faults.refuse()`,
  );
}

async function accepted(stage: Stage, push: SitePush): Promise<void> {
  await stage.until('a push to be accepted', async () => (await stage.client.send(push)).status === 202);
}

async function receipts(stage: Stage, sites: readonly SiteAgent[]): Promise<number> {
  const [row] = await stage.platform.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM ingest.receipts WHERE site_id = ANY($1::int[])',
    [sites.map(({ id }) => id)],
  );
  return row!.count;
}

function command(stage: Stage, rate: number): ChildProcess {
  const args = [
    // Not tools/patchwatch.mjs, which runs this as a process of its own: that one would outlive the kill.
    'dist/tools/cli/main.js',
    'dead',
    'replay',
    '--service',
    'ingest',
    '--reason',
    'data_rejected',
    '--rate',
    String(rate),
  ];
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'] ?? '', ...stage.platform.operator },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.once('exit', () => stage.note(`patchwatch dead replay: ${output.trim().split('\n').at(-1) ?? ''}`));
  return child;
}
