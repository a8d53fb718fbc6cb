import { randomUUID } from 'node:crypto';
import {
  addSite,
  gatewayInABox,
  logIn,
  PASSWORD,
  request,
  type Box,
  type Reply,
  type TestSite,
} from './gateway-in-a-box.js';
import { OtherServices } from './other-services.js';

/** An answer of the API, a problem document included. */
export interface Body {
  readonly code?: string;
  readonly errors?: { pointer: string; code: string }[];
  readonly data: never;
  readonly meta: Record<string, unknown>;
  readonly links: Record<string, string | null>;
}

export const AS_OF = '2026-01-02T03:04:05.000Z';

/** Status, code and violations of an answer in one line. */
export function told({ status, body }: Pick<Reply<Body>, 'status' | 'body'>): string {
  const violations = (body.errors ?? []).map(({ code, pointer }) => ` ${code}:${pointer}`);
  return `${status} ${body.code ?? ''}${violations.join('')}`.trim();
}

export interface Api {
  readonly box: Box;
  readonly base: string;
  /** Of the superuser. */
  readonly token: string;
  readonly site: TestSite;
  readonly others: OtherServices;
  get(path: string, headers?: Record<string, string>, token?: string): Promise<Reply<Body>>;
  /** A person with a role in the organization given, or in a new one; null: in none. */
  person(role: string | null, organizationId?: number): Promise<{ token: string; organizationId: number }>;
  /** A person who is not logged in. @returns her UUID */
  member(role: string, organizationId: number): Promise<string>;
  close(): Promise<void>;
}

/** A gateway with stand-ins for the services behind it, a superuser's token and a site. */
export async function apiInABox(env: Record<string, string> = {}): Promise<Api> {
  const box = await gatewayInABox(env);
  const others = new OtherServices();
  await others.start(box.cache.url);
  const base = box.gateway.url;
  const token = await logIn(base);
  const site = await addSite(base, token);
  return {
    box,
    base,
    token,
    site,
    others,
    get: (path, headers = {}, as = token) => request<Body>(base, 'GET', path, { token: as, headers }),
    person: (role, organizationId) => addPerson(box, role, organizationId),
    member: async (role, organizationId) => (await addMember(box, role, organizationId)).uuid,
    close: async () => {
      await others.stop();
      await box.close();
    },
  };
}

async function addPerson(
  box: Box,
  role: string | null,
  given?: number,
): Promise<{ token: string; organizationId: number }> {
  const organizationId = given ?? (await addOrganization(box));
  const { email } = await addMember(box, role, organizationId);
  // Log-ins of one address are counted; here they are many.
  const counters = await box.cacheLink.client.keys('pw:login:*');
  if (counters.length > 0) await box.cacheLink.client.del(...counters);
  const { body } = await request<{ data: { access_token: string } }>(box.gateway.url, 'POST', '/api/v1/auth/login', {
    body: { email, password: PASSWORD },
  });
  return { token: body.data.access_token, organizationId };
}

async function addMember(
  box: Box,
  role: string | null,
  organizationId: number,
): Promise<{ uuid: string; email: string }> {
  const [uuid, email] = [randomUUID(), `${randomUUID()}@agency.example`];
  const [user] = await box.database.query<{ id: number }[]>(
    `INSERT INTO users (uuid, email, name, password_hash, created_at)
       SELECT $1, $2, 'Person', password_hash, now() FROM users WHERE superuser RETURNING id`,
    [uuid, email],
  );
  if (role !== null) {
    await box.database.query(
      `INSERT INTO memberships (organization_id, user_id, role, created_at) VALUES ($1, $2, $3, now())`,
      [organizationId, user!.id, role],
    );
  }
  return { uuid, email };
}

async function addOrganization(box: Box): Promise<number> {
  const [organization] = await box.database.query<{ id: number }[]>(
    `INSERT INTO organizations (uuid, name, time_zone, created_at, plan_id)
       SELECT $1, 'Other agency', 'UTC', now(), id FROM plans WHERE is_default RETURNING id`,
    [randomUUID()],
  );
  return organization!.id;
}
