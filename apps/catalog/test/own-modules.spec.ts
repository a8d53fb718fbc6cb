import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { customModules, moduleSync, type CustomModuleChanged, type CustomRelease } from '#libs/contracts';
import { eventually, ManualClock } from '#libs/testing';
import type { Records } from '../../../tools/upstream/records.js';
import { startUpstream, type Upstream } from '../../../tools/upstream/server.js';
import { catalogBox, type CatalogBox } from './catalog-in-a-box.js';

const records: Records = {
  projects: [
    {
      name: 'token',
      title: 'Token',
      type: 'project_module',
      releases: [{ version: '8.x-1.0', date: '2020-01-01T00:00:00Z' }],
    },
    {
      name: 'rare',
      title: 'Rare',
      type: 'project_module',
      releases: [{ version: '1.0.0', date: '2024-01-01T00:00:00Z' }],
    },
  ],
  advisories: [
    {
      id: 'SA-CONTRIB-2021-001',
      project: 'other',
      published: '2021-01-20T17:00:00Z',
      core: '8+',
      title: 'Other - Critical - SA-CONTRIB-2021-001',
      url: 'https://www.drupal.org/sa-contrib-2021-001',
    },
  ],
};
const ALL = { organization_ids: null };
const release = (version: string, rest: Partial<CustomRelease> = {}): CustomRelease => ({
  version,
  released_at: '2026-01-01T00:00:00Z',
  security: false,
  insecure: false,
  unsupported: false,
  link: null,
  ...rest,
});
const declaration = (
  organization: number,
  module: string,
  revision: number,
  rest: Partial<CustomModuleChanged> = {},
): CustomModuleChanged => ({
  custom_module_uuid: `00000000-0000-7000-8000-00000000000${organization}`,
  organization_id: organization,
  organization_uuid: `00000000-0000-7000-8000-0000000000f${organization}`,
  module,
  title: module,
  type: 'module',
  link: null,
  releases: [],
  revision,
  changed_at: '2026-03-03T10:00:00Z',
  removed_at: null,
  ...rest,
});

describe('modules that organizations declare as their own', () => {
  const clock = new ManualClock('2026-03-03T10:00:00Z');
  let upstream: Upstream;
  let box: CatalogBox;
  const asked = () => upstream.requests.flatMap(({ url }) => /^\/release-history\/([^/]+)\//.exec(url)?.[1] ?? []);
  const taken = (organization: number, module: string, revision: number) =>
    eventually(
      async () => {
        const { items } = await box.ask(customModules, { scope: ALL, modules: [module] });
        return items.find((item) => item.organization_id === organization && item.revision >= revision);
      },
      { what: `${module} of ${organization} to be taken` },
    );
  const answered = (module: string) =>
    eventually(async () => (await box.told()).releases.find((told) => told.module === module), {
      what: `${module} to be told of`,
    });

  beforeEach(async () => {
    upstream = await startUpstream({ clock, records });
    box = await catalogBox(clock);
    await box.start(upstream.url, { beat: { pollMs: 20 } });
  });
  afterEach(async () => {
    await box?.close();
    await upstream.stop();
  });

  it('are never asked for at Drupal.org, whichever is heard of first: the declaration or a site that runs it', async () => {
    await box.declare(declaration(1, 'acme_seo', 1));
    await taken(1, 'acme_seo', 1);
    await box.see('acme_seo', 'token');
    expect(await answered('acme_seo')).toMatchObject({ outcome: 'not_found', history: null });
    await answered('token');
    expect(asked()).toEqual(['token']);
    expect(await box.ask(moduleSync, { module: 'acme_seo' })).toMatchObject({ known_upstream: false, sync: null });

    // A name that Drupal.org did not know, and that is declared afterwards, is asked for no more.
    await box.see('acme_blog');
    expect(await answered('acme_blog')).toMatchObject({ outcome: 'not_found' });
    await box.declare(declaration(1, 'acme_blog', 1));
    await taken(1, 'acme_blog', 1);
    await eventually(async () => (await box.ask(moduleSync, { module: 'acme_blog' }))!.sync === null, {
      what: 'acme_blog to be left alone',
    });
    await box.atRest();
    clock.advance(30 * 24 * 3_600_000);
    await eventually(() => asked().filter((name) => name === 'token').length > 1, {
      what: 'the others to be asked for',
    });
    expect(asked().filter((name) => name === 'acme_blog')).toHaveLength(1);
  });

  it('belong to one organization each, and the greatest revision counts in any order of arrival', async () => {
    await box.declare(declaration(2, 'acme_seo', 5, { releases: [release('2.0.0')] }));
    await box.declare(declaration(2, 'acme_seo', 4, { removed_at: '2026-03-03T10:00:00Z' }));
    await box.declare(
      declaration(1, 'acme_seo', 1, {
        releases: [
          release('1.0.0', { insecure: true }),
          release('1.1.0', { security: true }),
          release('1.10.0', { released_at: '2026-02-01T00:00:00Z' }),
        ],
      }),
    );
    expect(await taken(2, 'acme_seo', 5)).toMatchObject({ versions: [{ version: '2.0.0', status: 'current' }] });
    expect((await taken(1, 'acme_seo', 1)).versions).toEqual([
      { version: '1.10.0', status: 'current', recommended: '1.10.0', security_updates: [] },
      { version: '1.1.0', status: 'not_current', recommended: '1.10.0', security_updates: [] },
      { version: '1.0.0', status: 'not_secure', recommended: '1.10.0', security_updates: ['1.1.0'] },
    ]);
    const visible = async (ids: number[]) =>
      (await box.ask(customModules, { scope: { organization_ids: ids } })).items.map((item) => item.organization_id);
    expect([await visible([1]), await visible([2]), await visible([1, 2]), await visible([])]).toEqual([
      [1],
      [2],
      [1, 2],
      [],
    ]);
  });

  it('cannot hide a project of Drupal.org’s: not one with releases there, nor one that an advisory names', async () => {
    await box.see('token');
    await answered('token');
    await box.declare(declaration(1, 'token', 1));
    expect(await taken(1, 'token', 1)).toMatchObject({ state: 'known_upstream' });
    expect(await box.ask(moduleSync, { module: 'token' })).toMatchObject({ known_upstream: true, outcome: 'ok' });
    expect((await box.ask(moduleSync, { module: 'token' }))!.sync).not.toBeNull();

    // Nobody knows yet that Drupal.org has `rare`; the day an advisory names it, it is asked for.
    await box.declare(declaration(1, 'rare', 1));
    expect(await taken(1, 'rare', 1)).toMatchObject({ state: 'own' });
    await box.see('rare');
    expect(await answered('rare')).toMatchObject({ outcome: 'not_found' });
    expect(asked()).not.toContain('rare');
    await box.atRest();
    clock.advance(3_600_000);
    upstream.control.publishAdvisory({ id: 'SA-CONTRIB-2026-001', project: 'rare', affected: '<1.1.0', fixed: [] });
    await eventually(() => asked().includes('rare'), { what: 'rare to be asked for' });
    expect(await taken(1, 'rare', 1)).toMatchObject({ state: 'known_upstream' });
  });

  it('are asked for again when nobody declares them any more', async () => {
    await box.declare(declaration(1, 'rare', 1));
    await taken(1, 'rare', 1);
    await box.see('rare');
    await answered('rare');
    await box.declare(declaration(1, 'rare', 2, { removed_at: '2026-03-04T10:00:00Z' }));
    await eventually(async () => (await box.told()).releases.find((told) => told.outcome === 'ok'), {
      what: 'the releases of rare to be told',
    });
    expect((await box.ask(customModules, { scope: ALL })).items).toEqual([]);
  });
});
