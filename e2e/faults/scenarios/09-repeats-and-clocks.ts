import { randomUUID } from 'node:crypto';
import { inParallel } from '../../../tools/cli/api-client.js';
import type { Scenario } from '../scenario.js';
import type { SiteAgent, SitePush } from '../site-agent.js';
import type { Stage } from '../stage.js';

export const repeatsAndClocks: Scenario = {
  number: 9,
  name: 'repeats-and-clocks',
  promise:
    'one of fifty applied; no event for no change; the greatest stands; a wrong clock blocks nothing; the epoch decides',
  async run(stage) {
    const [repeating, unchanging, ahead, restored, ...shuffling] = await stage.sites(4 + stage.scale(60, 15));
    await samePushFiftyTimes(stage, repeating!);
    await sameContentUnderNewIds(stage, unchanging!);
    await clockTenYearsAhead(stage, ahead!);
    await restoredFromBackup(stage, restored!);
    await shuffledOverGateways(stage, shuffling);
    await stage.settle();
  },
};

/** Delivers, patiently: what is not accepted now is accepted later. */
async function deliver(stage: Stage, push: SitePush, gateway?: string): Promise<void> {
  await stage.until(
    `push ${push.sequence} to be accepted`,
    async () => (await stage.client.send(push, gateway)).status === 202,
  );
}

async function samePushFiftyTimes(stage: Stage, site: SiteAgent): Promise<void> {
  const push = site.next();
  await inParallel(Array.from({ length: 50 }), 50, () => deliver(stage, push));
  await stage.settle();
  const receipts = await receiptsOf(stage, site);
  stage.check('the same push 50 times at once: one receipt, applied', receipts.join() === 'applied changed', receipts);
}

async function sameContentUnderNewIds(stage: Stage, site: SiteAgent): Promise<void> {
  const first = site.next();
  await deliver(stage, first);
  await stage.settle();
  for (let i = 0; i < 20; i++) {
    await deliver(stage, site.next('unchanged'));
    // One after the other: what is passed by the next one would be superseded.
    await stage.until('it to be settled', async () => (await receiptsOf(stage, site)).length === i + 2);
  }
  // The same place in the order, the same content, another id.
  const body = JSON.parse(first.body.toString('utf8')) as Record<string, unknown>;
  const pushId = randomUUID();
  const again: SitePush = {
    ...first,
    pushId,
    body: Buffer.from(JSON.stringify({ ...body, sequence: site.sequence, push_id: pushId })),
  };
  await deliver(stage, again);
  await stage.settle();
  const receipts = await receiptsOf(stage, site);
  const expected = [
    'applied changed',
    ...Array<string>(20).fill('applied unchanged'),
    'duplicate already_applied',
  ].sort();
  stage.check(
    'no change is applied as unchanged, a repeated place as duplicate',
    receipts.join() === expected.join(),
    counted(receipts),
  );
  const [told] = await stage.platform.query<{ events: number }>(
    `SELECT count(*)::int AS events FROM faults.events WHERE type = 'ingest.inventory-changed' AND key = $1`,
    [site.uuid],
  );
  stage.check('no event for no change', told!.events === 1, told!.events);
}

async function clockTenYearsAhead(stage: Stage, site: SiteAgent): Promise<void> {
  const future = new Date(Date.now() + 10 * 365.25 * 24 * 3_600_000).toISOString();
  await deliver(stage, site.next('changed', { collected_at: future }));
  for (let i = 0; i < 5; i++) await deliver(stage, site.next());
  await stage.settle();
  const [state] = await stage.platform.query<{ sequence: number; sane: boolean }>(
    `SELECT sequence::int AS sequence, observed_at <= now() AS sane FROM ingest.site_states WHERE site_id = $1`,
    [site.id],
  );
  stage.check(
    'after a clock ten years ahead later pushes are applied',
    state?.sequence === site.sequence && state.sane,
    state,
  );
}

async function restoredFromBackup(stage: Stage, site: SiteAgent): Promise<void> {
  for (let i = 0; i < 10; i++) await deliver(stage, site.next());
  await stage.settle();
  site.sequence = 2;
  const old = site.next();
  await deliver(stage, old);
  await stage.settle();
  const [late] = await stage.platform.query<{ state: string }>(
    'SELECT state FROM ingest.receipts WHERE site_id = $1 AND push_id = $2',
    [site.id, old.pushId],
  );
  stage.check('a site restored from a backup is behind itself', late?.state === 'superseded', late);
  site.epoch = 2;
  site.sequence = 0;
  for (let i = 0; i < 3; i++) await deliver(stage, site.next());
  await stage.settle();
  const [state] = await stage.platform.query<{ place: string }>(
    `SELECT epoch || '/' || sequence AS place FROM ingest.site_states WHERE site_id = $1`,
    [site.id],
  );
  stage.check('until it raises its epoch', state?.place === '2/3', state);
}

async function shuffledOverGateways(stage: Stage, sites: readonly SiteAgent[]): Promise<void> {
  const pushes = sites.flatMap((site) =>
    Array.from({ length: stage.scale(100, 30) }, (_, i) => site.next(i % 3 === 0 ? 'unchanged' : 'changed')),
  );
  for (let i = pushes.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [pushes[i], pushes[j]] = [pushes[j]!, pushes[i]!];
  }
  const { gateways } = stage.client;
  let turn = 0;
  await inParallel(pushes, 32, (push) => deliver(stage, push, gateways[turn++ % gateways.length]));
  await stage.settle();
  const states = await stage.platform.query<{ id: number; sequence: number }>(
    'SELECT site_id AS id, sequence::int AS sequence FROM ingest.site_states WHERE site_id = ANY($1::int[])',
    [sites.map(({ id }) => id)],
  );
  const greatest = new Map(sites.map((site) => [site.id, site.sequence]));
  const right = states.filter(({ id, sequence }) => greatest.get(id) === sequence).length;
  stage.check(
    `shuffled over ${gateways.length} gateways, the greatest stands`,
    right === sites.length,
    `${right} of ${sites.length} sites`,
  );
}

function counted(names: readonly string[]): string {
  return [...new Set(names)].map((name) => `${names.filter((other) => other === name).length} × ${name}`).join(', ');
}

async function receiptsOf(stage: Stage, site: SiteAgent): Promise<string[]> {
  const rows = await stage.platform.query<{ end: string }>(
    `SELECT state || ' ' || reason AS end FROM ingest.receipts WHERE site_id = $1 ORDER BY 1`,
    [site.id],
  );
  return rows.map(({ end }) => end).sort();
}
