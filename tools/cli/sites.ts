import { inParallel, type ApiClient } from './api-client.js';
import type { SiteCredentials } from './backfill.js';

interface SiteResource {
  readonly id: string;
  readonly name: string;
}

/**
 * A site and a key for each name: sites that exist get one more key, which history may be pushed with; the others are
 * created. Keys made here expire after a day.
 */
export async function ensureSites(client: ApiClient, names: readonly string[]): Promise<Map<string, SiteCredentials>> {
  const existing = new Map<string, string>();
  for await (const site of client.pages<SiteResource>('/api/v1/sites?per_page=100&sort=name'))
    existing.set(site.name, site.id);
  const credentials = new Map<string, SiteCredentials>();
  await inParallel(names, 4, async (name) => {
    const uuid = existing.get(name) ?? (await createSite(client, name));
    const { data } = await client.request<{ key: string }>('POST', `/api/v1/sites/${uuid}/keys`, {
      body: { purpose: 'backfill', expires_in_hours: 24 },
    });
    credentials.set(name, { uuid, key: data.key });
  });
  return credentials;
}

/** Creates a production site named `name`. Its address is a placeholder under the reserved domain `.example`. */
export async function createSite(client: ApiClient, name: string): Promise<string> {
  const slug =
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'site';
  const { data } = await client.request<{ site: SiteResource } | SiteResource>('POST', '/api/v1/sites', {
    body: { name, url: `https://${slug}.example`, environment: 'prod' },
  });
  return 'site' in data ? data.site.id : data.id;
}
