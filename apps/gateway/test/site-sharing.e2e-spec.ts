import { listSites, pushReceipt, siteModules } from '#libs/contracts';
import { AS_OF, apiInABox, told, type Api, type Body } from './api-in-a-box.js';
import { request } from './gateway-in-a-box.js';

describe('a site that is shared with another organization', () => {
  let api: Api;
  let owner: { token: string; organizationId: number };
  let guest: { token: string; organizationId: number };
  let reader: { token: string };
  let guestUuid: string;
  let ownerUuid: string;
  let site: string;

  const ask = (token: string, method: string, path: string, body?: unknown) =>
    request<Body>(api.base, method, `/api/v1/${path}`, { token, body });
  const uuidOf = async (id: number) =>
    (await api.box.database.query<{ uuid: string }[]>('SELECT uuid FROM organizations WHERE id = $1', [id]))[0]!.uuid;
  const lines = (action: string) =>
    api.box.database.query<{ organization_id: number; detail: { organization: string } }[]>(
      `SELECT organization_id, detail FROM audit_log
        WHERE outcome = 'done' AND action = $1 AND subject = $2 ORDER BY organization_id`,
      [action, `site:${site}`],
    );

  beforeAll(async () => {
    api = await apiInABox();
    api.others.answer(listSites, () => ({ items: [], meta: { total: 0, as_of: AS_OF } }));
    api.others.answer(siteModules, () => null);
    api.others.answer(pushReceipt, () => null);
    owner = await api.person('administrator');
    guest = await api.person('administrator');
    reader = await api.person('developer', guest.organizationId);
    [guestUuid, ownerUuid] = [await uuidOf(guest.organizationId), await uuidOf(owner.organizationId)];
    const created = await ask(owner.token, 'POST', 'sites', { name: 'Shop', url: 'https://shop.example' });
    site = (created.body.data as { site: { id: string } }).site.id;
  });
  afterAll(() => api.close());

  it('is nothing to the other before, and shared by an administrator of its own alone', async () => {
    expect(told(await ask(reader.token, 'GET', `sites/${site}`))).toBe('404 not_found');
    const user = await api.person('user', owner.organizationId);
    expect(told(await ask(user.token, 'PUT', `sites/${site}/organizations/${guestUuid}`))).toBe('403 forbidden');
    expect(told(await ask(guest.token, 'PUT', `sites/${site}/organizations/${guestUuid}`))).toBe('404 not_found');
    expect(told(await ask(owner.token, 'PUT', `sites/${site}/organizations/${site}`))).toBe('404 not_found');
    expect(told(await ask(owner.token, 'PUT', `sites/${site}/organizations/${ownerUuid}`))).toBe(
      '400 validation_failed wrong_value:/organizationId',
    );
    expect(told(await ask(reader.token, 'GET', `sites/${site}`))).toBe('404 not_found');
  });

  it('can be read by every member of the other, as by her own, and shared twice is shared once', async () => {
    for (let i = 0; i < 2; i++)
      expect(told(await ask(owner.token, 'PUT', `sites/${site}/organizations/${guestUuid}`))).toBe('204');
    const shares = await ask(owner.token, 'GET', `sites/${site}/organizations`);
    expect(shares.body.data).toMatchObject([{ organization_id: guestUuid, name: 'Other agency' }]);
    const one = await ask(reader.token, 'GET', `sites/${site}`);
    expect(one.body.data).toMatchObject({ id: site, name: 'Shop', organization_id: ownerUuid });
    const [row] = await api.box.database.query<{ id: number }[]>('SELECT id FROM sites WHERE uuid = $1', [site]);
    await ask(reader.token, 'GET', 'sites');
    expect(api.others.lastInput(listSites)).toMatchObject({
      scope: { organization_ids: [guest.organizationId], shared_site_ids: [row!.id] },
    });
    expect(told(await ask(reader.token, 'GET', `sites/${site}/modules`))).toBe('200');
    expect((await lines('site.shared')).map((line) => [line.organization_id, line.detail.organization])).toEqual(
      [owner.organizationId, guest.organizationId].sort((a, b) => a - b).map((id) => [id, guestUuid]),
    );
  });

  it.each<[string, string, unknown]>([
    ['PATCH', '', { name: 'Mine' }],
    ['DELETE', '', undefined],
    ['GET', '/keys', undefined],
    ['POST', '/keys', {}],
    ['GET', '/organizations', undefined],
    ['PUT', '/organizations/OWNER', undefined],
  ])('S52: lets the guest’s administrator change nothing: %s %s', async (method, path, body) => {
    const reply = await ask(guest.token, method, `sites/${site}${path.replace('OWNER', ownerUuid)}`, body);
    expect(told(reply)).toBe('403 forbidden');
  });

  it('S54 is in no statement of the guest that could change it, whatever the service would do', async () => {
    const [row] = await api.box.database.query<{ name: string; removed_at: Date | null; revision: number }[]>(
      'SELECT name, removed_at, revision FROM sites WHERE uuid = $1',
      [site],
    );
    expect(row).toEqual({ name: 'Shop', removed_at: null, revision: 1 });
  });

  it('is left by the guest’s administrator, or taken back, and is nothing to the other with her next request', async () => {
    expect(told(await ask(reader.token, 'DELETE', `sites/${site}/organizations/${guestUuid}`))).toBe('403 forbidden');
    expect(told(await ask(guest.token, 'DELETE', `sites/${site}/organizations/${guestUuid}`))).toBe('204');
    expect(told(await ask(reader.token, 'GET', `sites/${site}`))).toBe('404 not_found');
    expect(told(await ask(owner.token, 'DELETE', `sites/${site}/organizations/${guestUuid}`))).toBe('404 not_found');
    expect(told(await ask(owner.token, 'PUT', `sites/${site}/organizations/${guestUuid}`))).toBe('204');
    expect(told(await ask(reader.token, 'GET', `sites/${site}`))).toBe('200');
    expect(told(await ask(owner.token, 'DELETE', `sites/${site}/organizations/${guestUuid}`))).toBe('204');
    expect(told(await ask(reader.token, 'GET', `sites/${site}`))).toBe('404 not_found');
    expect(await lines('site.unshared')).toHaveLength(4);
  });
});
