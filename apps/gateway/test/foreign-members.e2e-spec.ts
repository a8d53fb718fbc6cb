import { customModules, moduleDetail, moduleSync } from '#libs/contracts';
import { apiInABox, told, type Api, type Body } from './api-in-a-box.js';
import { request } from './gateway-in-a-box.js';

/** JSON Schema as the description of the API has it, as far as it is read here. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}
interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
}
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}
/** A route that takes a body, and what the body may have. */
interface Taking {
  readonly method: string;
  readonly path: string;
  readonly members: Readonly<Record<string, Schema>>;
}

describe('S53: bodies, on every route of the description that takes one', () => {
  let api: Api;
  let description: Description;
  let routes: Taking[];
  /** Every member that any answer shows: what people could think of sending back. */
  let shown: string[];
  let ids: Readonly<Record<string, string>>;
  let enrolmentKey: string;

  beforeAll(async () => {
    api = await apiInABox({ PATCHWATCH_ADDRESS_RATE: '100000/60' });
    for (const one of [moduleDetail, moduleSync]) api.others.answer(one, () => null);
    api.others.answer(customModules, () => ({ items: [] }));
    description = (await request<Description>(api.base, 'GET', '/docs/openapi.json')).body;
    const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
    );
    // Pushes have a schema of their own, with tests of their own.
    routes = operations
      .filter(({ path, operation }) => operation.requestBody !== undefined && !path.endsWith('/modules/sync'))
      .map(({ method, path, operation }) => ({
        method,
        path,
        members: membersOf(operation.requestBody!.content['application/json']!.schema),
      }));
    shown = [
      ...new Set([
        ...operations.flatMap(({ operation }) =>
          Object.values(operation.responses).flatMap(({ content }) => {
            const data = content?.['application/json']?.schema.properties?.['data'];
            return data === undefined ? [] : Object.keys(membersOf(data));
          }),
        ),
        ...['is_admin', 'org_id', 'organization_id', 'user_id', 'password_hash', 'session_version', 'created_by'],
      ]),
    ];
    const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> =>
      (await request<{ data: T }>(api.base, method, `/api/v1/${path}`, { token: api.token, body })).body.data;
    const me = await ask<{ id: string; memberships: { organization_id: string }[] }>('GET', 'auth/me');
    const organizationId = me.memberships[0]!.organization_id;
    await ask('POST', 'modules', { name: 'own_one', title: 'Own' });
    const keys = `organizations/${organizationId}/enrolment-keys`;
    enrolmentKey = (await ask<{ key: string }>('POST', keys, { name: 'x', most_sites: 1 })).key;
    const keyId = api.site.key.slice(8, 16);
    ids = { organizationId, userId: me.id, siteUuid: api.site.uuid, name: 'own_one', planCode: 'premium', keyId };
  }, 60_000);
  afterAll(() => api.close());

  /** The members of a schema, its references and alternatives followed. */
  function membersOf(schema: Schema): Readonly<Record<string, Schema>> {
    const { $ref, properties, items, anyOf = [], allOf = [] } = schema;
    const parts = [
      ...($ref === undefined ? [] : [description.components.schemas[$ref.split('/').at(-1)!]!]),
      ...(items === undefined ? [] : [items]),
      ...anyOf,
      ...allOf,
    ];
    return Object.assign({}, properties, ...parts.map(membersOf)) as Readonly<Record<string, Schema>>;
  }
  const send = ({ method, path }: Taking, body: unknown) => {
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const id = ids[name];
      if (id === undefined) throw new Error(`the test has no ${name}: give it one that is there`);
      return id;
    });
    const who = path.endsWith('/enrolments') ? { key: enrolmentKey } : { token: api.token };
    return request<Body>(api.base, method, filled, { ...who, body });
  };
  const named = ({ body }: { body: Body }, code?: string) =>
    (body.errors ?? []).filter((one) => code === undefined || one.code === code).map(({ pointer }) => pointer);
  const everything = async (): Promise<unknown> => {
    const tables = ['organizations', 'organization_revisions', 'users', 'memberships', 'sites', 'api_keys', 'plans'];
    const more = ['own_modules', 'invitations', 'password_resets', 'enrolments', 'erasures', 'second_factors'];
    const rows: Record<string, unknown> = {};
    for (const table of [...tables, ...more])
      rows[table] = await api.box.database.query(
        `SELECT to_jsonb(t) - 'last_used_at' AS row FROM ${table} t ORDER BY to_jsonb(t)::text`,
      );
    return rows;
  };
  /** Not more than the errors that one answer tells. */
  const handfuls = (names: readonly string[]): string[][] =>
    Array.from({ length: Math.ceil(names.length / 15) }, (_, i) => names.slice(i * 15, i * 15 + 15));

  it('name each member that is not the caller’s to set, and write none', async () => {
    const before = await everything();
    const silent: string[] = [];
    for (const route of routes) {
      for (const names of handfuls(shown.filter((name) => !(name in route.members)))) {
        const reply = await send(route, Object.fromEntries(names.map((name) => [name, 1])));
        const unnamed = names.filter((name) => !named(reply, 'unknown_member').includes(`/${name}`));
        if (reply.status !== 400 || unnamed.length > 0)
          silent.push(`${route.method} ${route.path}: ${reply.status} without ${unnamed.join(' ')}`);
      }
    }
    expect(silent).toEqual([]);
    expect(routes.length).toBeGreaterThan(25);
    expect(shown.length).toBeGreaterThan(60);
    expect(await everything()).toEqual(before);
    // What every object inherits.
    for (const inherited of ['constructor', 'toString', 'hasOwnProperty']) {
      const body = { name: 'x', [inherited]: 1 };
      const dropped = await request<Body>(api.base, 'PATCH', '/api/v1/auth/me', { token: api.token, body });
      expect(told(dropped)).toBe(`400 validation_failed unknown_member:/${inherited}`);
    }
  }, 60_000);

  it('name them inside of lists and objects as well', async () => {
    const silent: string[] = [];
    let nested = 0;
    for (const route of routes)
      for (const [name, schema] of Object.entries(route.members)) {
        const inner = Object.keys(membersOf(schema));
        if (inner.length === 0) continue;
        nested++;
        const foreign = ['id', 'organization_id', 'is_admin'].filter((one) => !inner.includes(one));
        const value = Object.fromEntries(foreign.map((one) => [one, 1]));
        const reply = await send(route, { [name]: schema.items === undefined ? value : [value] });
        const place = `/${name}${schema.items === undefined ? '' : '/0'}`;
        const unnamed = foreign.filter((one) => !named(reply, 'unknown_member').includes(`${place}/${one}`));
        if (reply.status !== 400 || unnamed.length > 0)
          silent.push(`${route.method} ${route.path} ${place}: ${reply.status} without ${unnamed.join(' ')}`);
      }
    expect(silent).toEqual([]);
    expect(nested).toBeGreaterThan(1);
  });

  it('name each member that is null and must not be, and none of them breaks anything', async () => {
    const before = await everything();
    const wrong: string[] = [];
    for (const route of routes)
      for (const [name, schema] of Object.entries(route.members)) {
        if ([schema.type ?? []].flat().includes('null')) continue;
        const reply = await send(route, { [name]: null });
        if (reply.status !== 400 || !named(reply).includes(`/${name}`))
          wrong.push(`${route.method} ${route.path} ${name}: ${told(reply)}`);
      }
    expect(wrong).toEqual([]);
    expect(await everything()).toEqual(before);
  });
});
