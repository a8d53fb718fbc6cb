import type { InstalledProject } from './extensions.js';
import { isEmpty } from './loose-values.js';

export const DEFAULT_FETCH_URL = 'https://updates.drupal.org/release-history';

export interface FetchUrlOptions {
  /** The site's own server of release histories; empty: Drupal.org. */
  fetchUrl?: string | null;
  /** With a key the address carries usage data, as a site's own does. Leave it out on a server: a made-up key falsifies usage figures. */
  siteKey?: string | null;
}

/** The base address of a project's release history, by which failing servers are told apart. */
export function fetchUrlBase(project: Pick<InstalledProject, 'statusUrl'>, options: FetchUrlOptions = {}): string {
  return project.statusUrl ?? (isEmpty(options.fetchUrl) ? DEFAULT_FETCH_URL : (options.fetchUrl as string));
}

/** The address of a project's release history. */
export function fetchUrl(
  project: Pick<InstalledProject, 'project' | 'statusUrl'> &
    Partial<Pick<InstalledProject, 'type' | 'version' | 'includes'>>,
  options: FetchUrlOptions = {},
): string {
  const url = `${fetchUrlBase(project, options)}/${project.project}/current`;
  if (isEmpty(options.siteKey) || project.type?.includes('disabled')) return url;
  const query = [`site_key=${encode(options.siteKey as string)}`];
  if (!isEmpty(project.version)) query.push(`version=${encode(project.version as string)}`);
  query.push(`list=${encode((project.includes ?? []).map((extension) => extension.name).join(','))}`);
  return url + (url.includes('?') ? '&' : '?') + query.join('&');
}

/** RFC 3986: only letters, digits and `-_.~` stay. Total, unlike encodeURIComponent, which throws on half a character. */
function encode(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const character = String.fromCharCode(byte);
    encoded += /[A-Za-z0-9_.~-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}
