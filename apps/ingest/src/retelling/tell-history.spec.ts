import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { InventoryChanged, SitesHeard } from '#libs/contracts';
import type { ToldFact } from '#libs/outbox';
import { IngestBox } from '../../test/ingest-box.js';
import { heartbeat, push } from '../../test/push-fixtures.js';
import { HistoryRepository } from './history.repository.js';
import { TellHistoryService } from './tell-history.service.js';

describe('the history, told anew', () => {
  let box: IngestBox;
  beforeAll(async () => (box = await IngestBox.open()));
  afterAll(() => box?.close());
  beforeEach(() => box.wipe());

  async function told(): Promise<ToldFact[]> {
    const facts: ToldFact[] = [];
    const page = <T>(read: Parameters<typeof box.dataSource.transaction>[0]) =>
      box.dataSource.transaction(read as never) as T;
    for await (const fact of new TellHistoryService(new HistoryRepository()).tell(page as never)) facts.push(fact);
    return facts;
  }

  const inventories = (facts: readonly ToldFact[]) =>
    facts.filter(({ event }) => event.type === 'ingest.inventory-changed').map(({ body }) => body as InventoryChanged);

  /** What was told is a set: neither the order of sites nor that of modules counts. */
  const sorted = (bodies: readonly InventoryChanged[]) =>
    bodies
      .map((body) => ({ ...body, changes: [...body.changes].sort((a, b) => (a.module < b.module ? -1 : 1)) }))
      .sort((a, b) => a.site_id - b.site_id || a.epoch - b.epoch || a.sequence - b.sequence);

  it('is word for word what was told when it happened', async () => {
    await box.apply(
      push({
        sequence: 1,
        collectedAt: '2026-05-20T10:00:00Z',
        modules: { drupal: '10.3.1', token: '8.x-1.13', views: null },
      }),
    );
    // Nothing new, but the next change is seen against this look.
    await box.apply(
      push({
        sequence: 2,
        collectedAt: '2026-05-20T11:00:00Z',
        modules: { drupal: '10.3.1', token: '8.x-1.13', views: null },
      }),
    );
    // Two of one site in one batch: what the first brings the second ends.
    await box.apply(
      push({
        sequence: 3,
        collectedAt: '2026-05-20T12:00:00Z',
        modules: { drupal: '10.3.2', token: '8.x-1.14', brief: '1.0' },
      }),
      push({ sequence: 4, collectedAt: '2026-05-20T13:00:00Z', modules: { drupal: '10.3.2', token: '8.x-1.15' } }),
      push({ site: 2, sequence: 1, modules: { drupal: '11.0.0' } }),
    );
    // Partial: adds and updates, removes nothing. Then core alone, and another epoch.
    await box.apply(
      push({
        sequence: 5,
        complete: false,
        collectedAt: '2026-05-20T14:00:00Z',
        modules: { token: '8.x-1.16', extra: '2.0' },
      }),
    );
    await box.apply(
      push({
        sequence: 6,
        collectedAt: '2026-05-20T15:00:00Z',
        members: {
          core: { version: '10.3.3' },
          php: { version: '8.3.1' },
          modules: [{ project: 'token', version: '8.x-1.16', status: 'disabled' }],
        },
      }),
    );
    await box.apply(
      push({ epoch: 2, sequence: 1, collectedAt: '2026-05-21T10:00:00Z', modules: { token: '8.x-1.16' } }),
    );
    // Own code may bear the name of a project: it becomes own code, and a project again.
    const own = { modules: [{ project: 'token', version: '9', status: 'enabled', custom: true }] };
    await box.apply(push({ epoch: 2, sequence: 2, collectedAt: '2026-05-21T11:00:00Z', members: own }));
    await box.apply(
      push({ epoch: 2, sequence: 3, collectedAt: '2026-05-21T12:00:00Z', modules: { token: '8.x-1.17' } }),
    );

    const original = box.outbox.bodies<InventoryChanged>('ingest.inventory-changed');
    expect(original.length).toBeGreaterThan(8);
    expect(sorted(inventories(await told()))).toEqual(sorted(original));
  });

  it('ends each site with when it was heard from last', async () => {
    await box.apply(
      push({
        sequence: 1,
        reportedHash: 'hash-1',
        receivedAt: '2026-05-20T17:00:01.000Z',
        modules: { token: '8.x-1.13' },
      }),
    );
    await box.apply(
      heartbeat({
        sequence: 2,
        reportedHash: 'hash-1',
        collectedAt: '2026-05-20T18:00:00.000Z',
        receivedAt: '2026-05-20T18:00:01.000Z',
      }),
    );
    await box.apply(push({ site: 9, sequence: 1, modules: { token: '8.x-1.13' } }));
    const facts = await told();
    expect(
      facts.map(({ event, body }) => [
        event.type,
        'sites' in (body as object) ? (body as SitesHeard).sites[0]!.site_id : (body as InventoryChanged).site_id,
      ]),
    ).toEqual([
      ['ingest.inventory-changed', 1],
      ['ingest.sites-heard', 1],
      ['ingest.inventory-changed', 9],
      ['ingest.sites-heard', 9],
    ]);
    expect(facts[1]!.body).toEqual({
      sites: [
        {
          site_id: 1,
          organization_id: 7,
          heard_at: '2026-05-20T18:00:01.000Z',
          observed_at: '2026-05-20T18:00:00.000Z',
          complete: true,
        },
      ],
    });
  });

  it('does not need receipts, nor what was sent', async () => {
    await box.apply(push({ sequence: 1, modules: { token: '8.x-1.13' } }));
    await box.apply(push({ sequence: 2, modules: { token: '8.x-1.14' } }));
    const before = await told();
    await box.query('TRUNCATE receipts, raw_pushes');
    expect(await told()).toEqual(before);
    expect(inventories(before)).toHaveLength(2);
  });
});
