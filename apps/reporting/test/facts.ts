import { createHash } from 'node:crypto';
import type {
  AdvisoryChanged,
  InventoryChanged,
  ModuleReleasesChanged,
  OrganizationChanged,
  SiteChanged,
} from '#libs/contracts';

type Change = InventoryChanged['changes'][number];

/** A UUID that is the same for the same words. */
export function uuidOf(...words: (string | number)[]): string {
  const hex = createHash('sha256').update(words.join(' ')).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A module at a version; `null`: gone. */
export function change(module: string, version: string | null | 'gone', more: Partial<Change> = {}): Change {
  return {
    module,
    type: module === 'drupal' ? 'core' : 'module',
    installed: version === 'gone' ? null : { version, datestamp: null, state: 'enabled' },
    previous_version: null,
    ...more,
  };
}

/** An inventory of a site of organization 1, observed at `at`. */
export function inventory(
  siteId: number,
  sequence: number,
  at: string,
  changes: readonly Change[],
  more: Partial<InventoryChanged> = {},
): InventoryChanged {
  return {
    site_id: siteId,
    site_uuid: uuidOf('site', siteId),
    organization_id: 1,
    push_id: uuidOf('push', siteId, more.epoch ?? 1, sequence),
    epoch: 1,
    sequence,
    observed_at: instant(at),
    previous_observed_at: null,
    received_at: instant(at),
    complete: true,
    first: sequence === 1,
    core_version: null,
    php_version: null,
    changes: [...changes],
    ...more,
  };
}

export function organization(id = 1, more: Partial<OrganizationChanged> = {}): OrganizationChanged {
  return {
    organization_id: id,
    organization_uuid: uuidOf('organization', id),
    name: `Organization ${id}`,
    time_zone: 'UTC',
    removed_at: null,
    revision: 1,
    ...more,
  };
}

export function site(id: number, more: Partial<SiteChanged> = {}): SiteChanged {
  const organizationId = more.organization_id ?? 1;
  return {
    site_id: id,
    site_uuid: uuidOf('site', id),
    organization_id: organizationId,
    organization_uuid: uuidOf('organization', organizationId),
    name: `Site ${id}`,
    url: `https://site-${id}.example.org`,
    environment: 'prod',
    created_at: '2020-01-01T00:00:00Z',
    removed_at: null,
    revision: 1,
    ...more,
  };
}

export function advisory(
  id: string,
  module: string,
  affected: string | null,
  publishedAt: string,
  more: Partial<AdvisoryChanged> = {},
): AdvisoryChanged {
  return {
    advisory: id,
    module,
    revision: 1,
    state: 'published',
    title: `${module}: something unsafe`,
    url: `https://www.drupal.org/${id.toLowerCase()}`,
    published_at: instant(publishedAt),
    known_at: instant(publishedAt),
    risk: 'critical',
    risk_score: null,
    risk_vector: null,
    vulnerability: null,
    cves: [],
    affected,
    affected_d7: null,
    fixed: [],
    unsupported: false,
    ...more,
  };
}

export interface ReleaseFact {
  readonly version: string;
  readonly date: string;
  readonly terms?: readonly string[];
}

/** Four releases of a module, a dozen days or hours apart by `at`, the newest first; which of them are marked as insecure, which as fixes. */
export function fourReleases(
  module: string,
  at: (place: number) => string,
  { marked, fixes }: { readonly marked: readonly string[]; readonly fixes: readonly string[] },
  more: Partial<ModuleReleasesChanged> = {},
): ModuleReleasesChanged {
  const list = ['8.x-1.3', '8.x-1.2', '8.x-1.1', '8.x-1.0'].map((version, place) => ({
    version,
    date: at(40 - place * 12),
    terms: [...(fixes.includes(version) ? ['Security update'] : []), ...(marked.includes(version) ? ['Insecure'] : [])],
  }));
  return releases(module, '8.x-1.', list, more);
}

/** A release history with the releases in the order given (newest first, as Drupal.org has it). */
export function releases(
  module: string,
  branches: string,
  list: readonly ReleaseFact[],
  more: Partial<ModuleReleasesChanged> = {},
): ModuleReleasesChanged {
  return {
    module,
    revision: 1,
    known_at: '2026-01-01T00:00:00Z',
    outcome: 'ok',
    history: {
      title: module.toUpperCase(),
      short_name: module,
      link: `https://www.drupal.org/project/${module}`,
      type: 'project_module',
      project_status: 'published',
      supported_branches: branches,
      releases: list.map(({ version, date, terms }) => ({
        version,
        status: 'published',
        release_link: `https://www.drupal.org/project/${module}/releases/${version}`,
        download_link: `https://ftp.drupal.org/files/projects/${module}-${version}.tar.gz`,
        date: String(Date.parse(instant(date)) / 1000),
        ...(terms ? { terms: { 'Release type': [...terms] } } : {}),
      })),
    },
    ...more,
  };
}

/** `2026-05-20` or a full instant. */
export function instant(at: string): string {
  return new Date(at).toISOString();
}
