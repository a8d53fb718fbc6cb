import { randomUUID } from 'node:crypto';
import type { InventoryChanged, ModulesSeen, SitesHeard } from '#libs/contracts';
import { IngestBox } from '../../test/ingest-box.js';
import { heartbeat, push, siteUuid } from '../../test/push-fixtures.js';

describe('applying inventories', () => {
  let box: IngestBox;
  beforeAll(async () => {
    box = await IngestBox.open();
  });
  afterAll(() => box.close());
  beforeEach(() => box.wipe());

  it('keeps the first inventory of a site as history, receipt, raw push and facts', async () => {
    const first = push({ sequence: 1, modules: { drupal: '10.3.1', token: '8.x-1.13' }, gzip: true });
    await box.apply(first);

    expect(await box.endOf(first)).toBe('applied: changed');
    expect(await box.standing()).toEqual({ drupal: '10.3.1', token: '8.x-1.13' });
    const [raw] = await box.query<{ body: Buffer; content_encoding: string }>('SELECT * FROM raw_pushes');
    expect(raw!.body.equals(first.body)).toBe(true);
    expect(raw!.content_encoding).toBe('gzip');
    const [changed] = box.outbox.bodies<InventoryChanged>('ingest.inventory-changed');
    expect(changed).toMatchObject({
      site_id: 1,
      first: true,
      epoch: 1,
      sequence: 1,
      previous_observed_at: null,
      core_version: '10.3.1',
    });
    expect(changed!.changes.map(({ module, type, previous_version }) => [module, type, previous_version])).toEqual([
      ['drupal', 'core', null],
      ['token', 'module', null],
    ]);
    expect(box.outbox.bodies<SitesHeard>('ingest.sites-heard')).toEqual([
      {
        sites: [
          {
            site_id: 1,
            organization_id: 7,
            heard_at: '2026-05-20T17:00:01.000Z',
            observed_at: '2026-05-20T17:00:00.000Z',
            complete: true,
          },
        ],
      },
    ]);
    expect(await box.query('SELECT * FROM patch_runs')).toEqual([]);
  });

  it('closes what changed, opens what is new and records the patch run', async () => {
    await box.apply(push({ sequence: 1, modules: { drupal: '10.3.1', token: '8.x-1.13', gone: '1.0.0' } }));
    const second = push({
      sequence: 2,
      collectedAt: '2026-05-21T09:00:00Z',
      receivedAt: '2026-05-21T09:00:02Z',
      modules: { drupal: '10.3.2', token: '8.x-1.13', fresh: '2.0.0' },
    });
    await box.apply(second);

    expect(await box.standing()).toEqual({ drupal: '10.3.2', fresh: '2.0.0', token: '8.x-1.13' });
    const history = await box.query(
      `SELECT module, version, sequence, valid_to, end_sequence FROM site_modules WHERE valid_to IS NOT NULL ORDER BY module`,
    );
    expect(history).toEqual([
      { module: 'drupal', version: '10.3.1', sequence: 1, valid_to: new Date('2026-05-21T09:00:00Z'), end_sequence: 2 },
      { module: 'gone', version: '1.0.0', sequence: 1, valid_to: new Date('2026-05-21T09:00:00Z'), end_sequence: 2 },
    ]);
    expect(await box.query('SELECT sequence, push_id, items FROM patch_runs')).toEqual([
      { sequence: 2, push_id: second.pushId, items: [{ module: 'drupal', from: '10.3.1', to: '10.3.2' }] },
    ]);
    const [, changed] = box.outbox.bodies<InventoryChanged>('ingest.inventory-changed');
    expect(changed!.changes).toEqual([
      {
        module: 'drupal',
        type: 'core',
        installed: { version: '10.3.2', datestamp: null, state: 'enabled' },
        previous_version: '10.3.1',
      },
      {
        module: 'fresh',
        type: 'module',
        installed: { version: '2.0.0', datestamp: null, state: 'enabled' },
        previous_version: null,
      },
      { module: 'gone', type: 'module', installed: null, previous_version: '1.0.0' },
    ]);
  });

  it('sends no event but sites-heard for the same content under new push ids, and touches no history', async () => {
    const modules = { drupal: '10.3.1', token: '8.x-1.13' };
    await box.apply(push({ sequence: 1, modules }));
    const before = await box.query('SELECT ctid, xmin, * FROM site_modules ORDER BY module');
    box.outbox.committed.length = 0;
    const again = [2, 3, 4].map((sequence) => push({ sequence, modules }));
    await box.apply(again[0]!);
    await box.apply(again[1]!, again[2]!);

    for (const one of again) expect(await box.endOf(one)).toBe('applied: unchanged');
    expect(box.outbox.committed.map(({ event }) => event.type)).toEqual(['ingest.sites-heard', 'ingest.sites-heard']);
    expect(await box.query('SELECT ctid, xmin, * FROM site_modules ORDER BY module')).toEqual(before);
  });

  it('applies one push that arrives 50 times at once exactly once', async () => {
    const one = push({ sequence: 1, modules: { token: '8.x-1.13' } });
    await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 5 === 0 ? box.apply(one, one, one) : box.apply(one))));

    expect(await box.query('SELECT state, reason FROM receipts')).toEqual([{ state: 'applied', reason: 'changed' }]);
    expect(await box.query('SELECT count(*)::int AS n FROM raw_pushes')).toEqual([{ n: 1 }]);
    expect(box.outbox.bodies('ingest.inventory-changed')).toHaveLength(1);
    expect(await box.query('SELECT module FROM site_modules')).toHaveLength(1);
  });

  it('ends with the greatest sequence however two concurrent batches are shuffled', async () => {
    for (let round = 0; round < 8; round++) {
      const site = 100 + round;
      const pushes = Array.from({ length: 24 }, (_, i) =>
        push({ site, sequence: i + 1, modules: { token: `8.x-1.${i}`, [`m${i % 3}`]: '1.0.0' } }),
      ).sort(() => Math.random() - 0.5);
      await Promise.all([box.apply(...pushes.slice(0, 12)), box.apply(...pushes.slice(12))]);

      expect(await box.standing(site)).toEqual({ m2: '1.0.0', token: '8.x-1.23' });
      const [state] = await box.query<{ sequence: number }>('SELECT sequence FROM site_states WHERE site_id = $1', [
        site,
      ]);
      expect(state!.sequence).toBe(24);
      const receipts = await box.query<{ state: string; sequence: number }>(
        'SELECT state, sequence FROM receipts WHERE site_id = $1',
        [site],
      );
      expect(receipts).toHaveLength(24);
      const applied = receipts.filter((receipt) => receipt.state === 'applied').map((receipt) => receipt.sequence);
      const begun = await box.query<{ sequence: number }>(
        'SELECT DISTINCT sequence FROM site_modules WHERE site_id = $1',
        [site],
      );
      expect(begun.map(({ sequence }) => sequence).sort((a, b) => a - b)).toEqual(applied.sort((a, b) => a - b));
      // No module has two rows that stand, and every interval ends where the next one begins or later.
      const overlaps = await box.query(
        `SELECT a.module FROM site_modules a JOIN site_modules b USING (site_id, module)
         WHERE a.site_id = $1 AND (a.epoch, a.sequence) < (b.epoch, b.sequence)
           AND (a.end_sequence IS NULL OR a.end_sequence > b.sequence)`,
        [site],
      );
      expect(overlaps).toEqual([]);
      expect(receipts.filter((receipt) => receipt.state === 'superseded')).toHaveLength(24 - applied.length);
    }
  });

  it('gives every push of one site in one batch its own receipt and history', async () => {
    const pushes = [3, 1, 2].map((sequence) => push({ sequence, modules: { token: `8.x-1.${sequence}` } }));
    await box.apply(...pushes);
    for (const one of pushes) expect(await box.endOf(one)).toBe('applied: changed');
    expect(await box.query('SELECT version, sequence, end_sequence FROM site_modules ORDER BY sequence')).toEqual([
      { version: '8.x-1.1', sequence: 1, end_sequence: 2 },
      { version: '8.x-1.2', sequence: 2, end_sequence: 3 },
      { version: '8.x-1.3', sequence: 3, end_sequence: null },
    ]);
    expect(box.outbox.bodies<InventoryChanged>('ingest.inventory-changed').map(({ sequence }) => sequence)).toEqual([
      1, 2, 3,
    ]);
    expect(await box.query('SELECT sequence FROM patch_runs ORDER BY 1')).toEqual([{ sequence: 2 }, { sequence: 3 }]);
  });

  it('supersedes a late older push', async () => {
    await box.apply(push({ sequence: 5, modules: { token: '8.x-1.5' } }));
    const late = push({ sequence: 4, modules: { token: '8.x-1.4' } });
    await box.apply(late);
    expect(await box.endOf(late)).toBe('superseded: older_than_current');
    expect(await box.standing()).toEqual({ token: '8.x-1.5' });
  });

  it('tells a repeated sequence with the same content from one with other content', async () => {
    await box.apply(push({ sequence: 5, modules: { token: '8.x-1.5' } }));
    const same = push({ sequence: 5, modules: { token: '8.x-1.5' } });
    const other = push({ sequence: 5, modules: { token: '8.x-1.6' } });
    await box.apply(same, other);
    expect(await box.endOf(same)).toBe('duplicate: already_applied');
    expect(await box.endOf(other)).toBe('superseded: same_sequence_other_content');
  });

  it('lets a greater epoch win over any sequence, and a push without an epoch belong to the current one', async () => {
    await box.apply(push({ epoch: 1, sequence: 900, modules: { token: '8.x-1.9' } }));
    const restored = push({ epoch: 2, sequence: 1, modules: { token: '8.x-1.5' } });
    await box.apply(restored);
    expect(await box.endOf(restored)).toBe('applied: changed');
    const unnamed = push({ epoch: null, sequence: 2, modules: { token: '8.x-1.6' } });
    const old = push({ epoch: 1, sequence: 901, modules: { token: '8.x-1.10' } });
    await box.apply(unnamed, old);
    expect(await box.endOf(unnamed)).toBe('applied: changed');
    expect(await box.endOf(old)).toBe('superseded: older_than_current');
    expect(await box.standing()).toEqual({ token: '8.x-1.6' });
  });

  it('lets a live push without an epoch win over history loaded before it', async () => {
    await box.apply(
      push({ epoch: 0, sequence: 5000, collectedAt: '2018-03-28T18:00:00Z', modules: { token: '8.x-1.1' } }),
    );
    const live = push({ epoch: null, sequence: 1, modules: { token: '8.x-1.9' } });
    await box.apply(live);
    expect(await box.endOf(live)).toBe('applied: changed');
    expect(await box.query('SELECT epoch, sequence, observed_at FROM site_states')).toEqual([
      { epoch: 1, sequence: 1, observed_at: new Date('2026-05-20T17:00:00Z') },
    ]);
  });

  it('removes nothing by a partial push, and everything absent by the next complete one', async () => {
    await box.apply(push({ sequence: 1, modules: { drupal: '10.3.1', token: '8.x-1.13' } }));
    const partial = push({ sequence: 2, complete: false, modules: { token: '8.x-1.15', fresh: '1.0.0' } });
    await box.apply(partial);
    expect(await box.standing()).toEqual({ drupal: '10.3.1', fresh: '1.0.0', token: '8.x-1.15' });
    expect(await box.query('SELECT complete, core_version FROM site_states')).toEqual([
      { complete: false, core_version: '10.3.1' },
    ]);
    const same = push({ sequence: 3, complete: false, modules: { token: '8.x-1.15' } });
    await box.apply(same);
    expect(await box.endOf(same)).toBe('applied: unchanged');

    await box.apply(push({ sequence: 4, modules: { drupal: '10.3.1', token: '8.x-1.15' } }));
    expect(await box.standing()).toEqual({ drupal: '10.3.1', token: '8.x-1.15' });
  });

  it('believes no clock: ten years ahead is when it arrived, and later pushes still count', async () => {
    await box.apply(
      push({
        sequence: 1,
        collectedAt: '2036-01-01T00:00:00Z',
        receivedAt: '2026-05-20T17:00:01Z',
        modules: { token: '8.x-1.1' },
      }),
    );
    const later = push({
      sequence: 2,
      collectedAt: '2026-05-19T00:00:00Z',
      receivedAt: '2026-05-21T08:00:00Z',
      modules: { token: '8.x-1.2' },
    });
    await box.apply(later);
    expect(await box.endOf(later)).toBe('applied: changed');
    expect(await box.query('SELECT version, valid_from, valid_to FROM site_modules ORDER BY sequence')).toEqual([
      { version: '8.x-1.1', valid_from: new Date('2026-05-20T17:00:01Z'), valid_to: new Date('2026-05-20T17:00:01Z') },
      { version: '8.x-1.2', valid_from: new Date('2026-05-20T17:00:01Z'), valid_to: null },
    ]);
  });

  it('takes a heartbeat for the inventory that stands, and only for that', async () => {
    const hash = 'sha256:aaaaaaaaaaaaaaaa';
    const first = await box.apply(push({ sequence: 1, reportedHash: hash, modules: { token: '8.x-1.13' } }));
    expect([...first.knownInventories]).toEqual([[siteUuid(1), hash]]);
    const known = heartbeat({
      sequence: 2,
      reportedHash: hash,
      collectedAt: '2026-05-21T00:00:00Z',
      receivedAt: '2026-05-21T00:00:01Z',
    });
    const unknown = heartbeat({ sequence: 3, reportedHash: 'sha256:bbbbbbbbbbbbbbbb' });
    const outcome = await box.apply(known, unknown);
    expect(await box.endOf(known)).toBe('applied: unchanged');
    expect(await box.endOf(unknown)).toBe('superseded: unknown_inventory_hash');
    expect([...outcome.knownInventories]).toEqual([[siteUuid(1), hash]]);
    expect(await box.query('SELECT sequence, observed_at FROM site_states')).toEqual([
      { sequence: 2, observed_at: new Date('2026-05-21T00:00:00Z') },
    ]);
  });

  it('fails a poisonous push with its reason while its neighbours commit', async () => {
    const modules = { token: '8.x-1.13' };
    const module = (project: string, version: string) => ({ members: { modules: [{ project, version }] } });
    const cases: [string, ReturnType<typeof push>][] = [
      ['invalid_inventory', push({ site: 1, sequence: 1, ...module('token', '1.0\u0000') })],
      ['invalid_inventory', push({ site: 2, sequence: 1, members: { site_name: 'half \ud800', modules: [] } })],
      ['invalid_inventory', push({ site: 3, sequence: 1, members: { modules: [{ project: 'token', 'x\u0000': 1 }] } })],
      ['invalid_inventory', push({ site: 4, sequence: 1, members: { modules: 'none' } })],
      ['invalid_inventory', push({ site: 5, sequence: 1, members: { modules: [], extensions: [] } })],
      ['undecodable_body', push({ site: 6, sequence: 1, body: Buffer.from('{"a":') })],
      ['undecodable_body', push({ site: 7, sequence: 1, body: Buffer.from([0x22, 0xff, 0xfe, 0x22]) })],
      [
        'undecodable_body',
        { ...push({ site: 8, sequence: 1, body: Buffer.from('no gzip') }), contentEncoding: 'gzip' },
      ],
    ];
    const good = cases.map((_, i) => push({ site: 20 + i, sequence: 1, modules }));
    const outcome = await box.apply(...cases.flatMap(([, bad], i) => [bad, good[i]!]));
    expect(outcome.failures.map(({ push: { siteId }, code }) => [code, siteId])).toEqual(
      cases.map(([code], i) => [code, i + 1]),
    );
    for (const one of good) expect(await box.endOf(one)).toBe('applied: changed');
    expect(await box.query('SELECT count(*)::int AS n FROM receipts')).toEqual([{ n: cases.length }]);
  });

  it('keeps strings that only look dangerous', async () => {
    const odd = push({
      sequence: 1,
      members: { site_name: '\ud83d\ude00 \\u0000', modules: [{ project: 'token', version: '1.0"\\,{}' }] },
    });
    await box.apply(odd);
    expect(await box.standing()).toEqual({ token: '1.0"\\,{}' });
  });

  it('asks the catalog once about a project, and never about own code or names that are none', async () => {
    await box.apply(
      push({ site: 1, sequence: 1, modules: { token: '1.0.0', pathauto: '1.0.0' } }),
      push({ site: 2, sequence: 1, modules: { token: '1.1.0' } }),
      push({
        site: 3,
        sequence: 1,
        members: {
          extensions: [
            { name: 'own', type: 'module', path: 'modules/custom/own', installed: true, info: { version: '1.0' } },
            {
              name: 'odd',
              type: 'module',
              path: 'modules/odd',
              installed: true,
              info: { project: '../odd', version: '1.0' },
            },
          ],
        },
      }),
      push({
        site: 4,
        sequence: 1,
        members: { modules: [{ project: 'webform', version: '1.0.0', origin: 'custom' }] },
      }),
    );
    await box.apply(push({ site: 4, sequence: 2, modules: { token: '1.0.0', ctools: '1.0.0' } }));
    const seen = box.outbox
      .bodies<ModulesSeen>('ingest.modules-seen')
      .map(({ modules }) => modules.map(({ module }) => module).sort());
    expect(seen).toEqual([['pathauto', 'token'], ['ctools']]);
    expect(
      await box.query(`SELECT module, custom FROM site_modules WHERE site_id IN (3, 4) ORDER BY site_id, module`),
    ).toEqual([
      { module: '../odd', custom: false },
      { module: 'ctools', custom: false },
      { module: 'token', custom: false },
      { module: 'webform', custom: true },
    ]);
    const facts = box.outbox
      .bodies<InventoryChanged>('ingest.inventory-changed')
      .filter(({ site_id }) => site_id === 4);
    expect(facts.flatMap(({ changes }) => changes.map(({ module }) => module))).toEqual(['ctools', 'token']);
  });

  it('reads extensions as Drupal groups them, core included', async () => {
    await box.apply(
      push({
        sequence: 1,
        members: {
          core: { version: '10.3.1' },
          php: { version: '8.3.11' },
          extensions: [
            {
              name: 'node',
              type: 'module',
              path: 'core/modules/node',
              installed: true,
              info: { name: 'Node', version: 'VERSION' },
            },
            {
              name: 'token',
              type: 'module',
              path: 'modules/contrib/token',
              installed: true,
              info: { project: 'token', version: '8.x-1.13', datestamp: 1_700_000_000 },
            },
            {
              name: 'olivero',
              type: 'theme',
              path: 'core/themes/olivero',
              installed: true,
              info: { name: 'Olivero', version: 'VERSION' },
            },
            {
              name: 'gin',
              type: 'theme',
              path: 'themes/contrib/gin',
              installed: false,
              info: { project: 'gin', version: '8.x-3.0', datestamp: '1700000001' },
            },
          ],
        },
      }),
    );
    expect(await box.query('SELECT module, type, version, datestamp, state FROM site_modules ORDER BY module')).toEqual(
      [
        { module: 'drupal', type: 'core', version: '10.3.1', datestamp: null, state: 'enabled' },
        { module: 'gin', type: 'theme', version: '8.x-3.0', datestamp: 1700000001, state: 'disabled' },
        { module: 'token', type: 'module', version: '8.x-1.13', datestamp: 1700000000, state: 'enabled' },
      ],
    );
    expect(await box.query('SELECT core_version, php_version FROM site_states')).toEqual([
      { core_version: '10.3.1', php_version: '8.3.11' },
    ]);
  });

  it('speaks of a change of PHP alone, though no module changed', async () => {
    await box.apply(
      push({ sequence: 1, members: { php: '8.2.1', modules: [{ project: 'token', version: '1.0.0' }] } }),
    );
    const upgraded = push({
      sequence: 2,
      members: { php: '8.3.1', modules: [{ project: 'token', version: '1.0.0' }] },
    });
    await box.apply(upgraded);
    expect(await box.endOf(upgraded)).toBe('applied: changed');
    const facts = box.outbox.bodies<InventoryChanged>('ingest.inventory-changed');
    expect(facts.at(-1)).toMatchObject({ php_version: '8.3.1', changes: [] });
  });

  it('changes nothing for a push id that is among the dead letters, nor for another site by it', async () => {
    const bad = push({ sequence: 1, modules: { token: '1.0.0' }, pushId: randomUUID() });
    const letter = (resolution: string | null) =>
      box.query(
        `INSERT INTO dead_letters (queue, fingerprint, code, detail, deliveries, type, envelope, body, resolution, resolved_at)
         VALUES ('ingest.pushes', 'x', 'invalid_inventory', 'why', 1, 'gateway.push-received', $1, '', $2, CASE WHEN $2::text IS NULL THEN NULL ELSE now() END)`,
        [
          JSON.stringify({
            id: 'm',
            meta: {
              push_id: bad.pushId.toUpperCase(),
              site_id: 1,
              epoch: null,
              sequence: 1,
              received_at: '2026-05-20T17:00:01.000Z',
            },
          }),
          resolution,
        ],
      );
    await letter(null);
    await box.apply(bad, { ...bad, siteId: 2 });
    expect(await box.query('SELECT site_id FROM receipts')).toEqual([{ site_id: 2 }]);
    const found = await box.receipts.find(box.dataSource.manager, 1, bad.pushId);
    expect(found).toMatchObject({
      state: 'dead',
      reason: 'invalid_inventory',
      detail: 'why',
      sequence: 1,
      receivedAt: new Date('2026-05-20T17:00:01Z'),
    });

    // Sent back on its way, it is a push like any other.
    await box.query(`UPDATE dead_letters SET resolution = 'replayed', resolved_at = now()`);
    expect(await box.endOf(bad)).toBe('queued');
    await box.apply(bad);
    expect(await box.endOf(bad)).toBe('applied: changed');
  });

  it('undoes the whole batch when the database refuses a statement, names the real cause, and goes on', async () => {
    const good = push({ site: 1, sequence: 1, modules: { token: '1.0.0' } });
    const tooLarge = push({ site: 3_000_000_000, sequence: 1, modules: { token: '1.0.0' } });
    for (let i = 0; i < 20; i++) await expect(box.apply(good, tooLarge)).rejects.toThrow(/out of range/);
    expect(await box.endOf(good)).toBe('queued');
    expect(await box.query('SELECT * FROM site_states')).toEqual([]);
    await box.apply(good);
    expect(await box.endOf(good)).toBe('applied: changed');
  });

  it('takes the same body again for the same inventory without reading it, but not after a partial push', async () => {
    const modules = { token: '8.x-1.13', pathauto: '8.x-1.12' };
    await box.apply(push({ sequence: 1, modules }));
    const again = push({
      sequence: 2,
      collectedAt: '2026-05-21T09:00:00Z',
      receivedAt: '2026-05-21T09:00:01Z',
      reportedHash: 'a-hash-of-the-site',
      modules,
    });
    const outcome = await box.apply(again);
    expect(await box.endOf(again)).toBe('applied: unchanged');
    expect([...outcome.knownInventories]).toEqual([[siteUuid(1), 'a-hash-of-the-site']]);

    await box.apply(push({ sequence: 3, complete: false, modules: { token: '8.x-1.14' } }));
    const back = push({ sequence: 4, modules });
    await box.apply(back);
    expect(await box.endOf(back)).toBe('applied: changed');
    expect(await box.standing()).toEqual(modules);
  });
});
