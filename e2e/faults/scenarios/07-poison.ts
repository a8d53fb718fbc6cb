import { QUEUES } from '#libs/contracts';
import { streamKey } from '#libs/streams';
import { rawEntries } from '../poison-entries.js';
import type { Scenario } from '../scenario.js';

/** A process that does not answer its health check for so long is killed by its supervisor. */
const SILENT_MS = 1_200;
/** So that five deliveries, each after a pause that doubles, are seen in time. Long enough for a healthy process on a busy machine to renew. */
const LEASES = { PATCHWATCH_CONSUMER_LEASE_MS: '1500', PATCHWATCH_CONSUMER_MAX_DELAY_MS: '2000' };

export const poison: Scenario = {
  number: 7,
  name: 'poison',
  promise: 'what cannot be handled, kills or burns: each dead once with its reason; its neighbours commit',
  async run(stage) {
    const { platform } = stage;
    const sites = await stage.sites(stage.scale(60, 20));
    const [killerSite, burnerSite, strangeSite, ...others] = sites;
    const killer = killerSite!.next();
    const burner = burnerSite!.next();
    await Promise.all(
      platform.fleet('ingest').map(async (instance) => {
        instance.settings = {
          PATCHWATCH_FAIL_POINTS: `message=kill~${killer.pushId};message=burn:600000~${burner.pushId}`,
          ...LEASES,
        };
        await instance.restart();
        instance.watchLife(SILENT_MS);
      }),
    );
    const load = stage.load({ sites: others, lanes: 8, perSecond: stage.scale(150, 40) });
    await stage.pass(500);
    const expected = new Map<string, number>();
    const expect = (code: string) => expected.set(code, (expected.get(code) ?? 0) + 1);

    // Past the gateway, straight into the stream: what a bug, an older release or an intruder could leave there. All in one
    // partition and in a row, more than a breaker stands: good messages must go on all the same.
    for (let round = 0; round < stage.scale(12, 5); round++) {
      for (const entry of rawEntries(strangeSite!)) {
        if (entry.pushId !== null) stage.ledger.doubt(entry.pushId);
        await platform.streams.xadd(
          streamKey(QUEUES.ingestPushes.name, 0),
          '*',
          ...(entry.fields as [string, string | Buffer]),
        );
        if (entry.code !== null) expect(entry.code);
      }
    }
    // By the gateway, which lets through what is well-formed: odd text, a killer, a burner.
    const odd = [
      { site_name: 'NUL \u0000 in a name' },
      { site_name: 'lone \ud800 surrogate' },
      { core: { version: '\u0000' } },
      { modules: [{ project: 'token', version: '\udfff\u0000' }] },
    ];
    const oddPushes = odd.map((more) => strangeSite!.next('changed', more));
    for (const push of oddPushes) await stage.client.send(push);
    for (const push of [killer, burner])
      await stage.until('it to be accepted', async () => (await stage.client.send(push)).status === 202);
    for (let i = 0; i < 2; i++) expect('too_many_deliveries');

    await stage.until(
      'the killer and the burner to be dead',
      async () => {
        const dead = new Set((await stage.dead()).map(({ pushId }) => pushId));
        return dead.has(killer.pushId) && dead.has(burner.pushId);
      },
      180_000,
    );
    await load.stop();
    await stage.settle();
    const found = new Map<string, number>();
    // Odd text that the gateway let through may end either way, applied or dead with a reason; the identity sees to it that it ends.
    const either = new Set(oddPushes.map(({ pushId }) => pushId));
    for (const { pushId, code } of await stage.dead()) {
      if (pushId === null || !either.has(pushId)) found.set(code, (found.get(code) ?? 0) + 1);
    }
    const asText = (counts: Map<string, number>) =>
      [...counts]
        .sort()
        .map(([code, count]) => `${count} ${code}`)
        .join(', ');
    stage.check(
      'each is dead once, with its reason',
      asText(found) === asText(expected),
      `${asText(found)}; expected ${asText(expected)}`,
    );
    const breaker = Math.max(
      ...(await Promise.all(platform.fleet('ingest').map((one) => one.metric('patchwatch_queue_breaker_open')))).map(
        Number,
      ),
    );
    stage.check('no breaker is left open', breaker === 0, breaker);
  },
};
