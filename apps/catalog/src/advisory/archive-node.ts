import { advisoryId, PROJECT_NAME, UnreadableAdvisoryError, type StatedAdvisory } from './advisory-facts.js';
import { isRecord } from './archive-page.js';
import { riskOfScore, riskOfTitle, riskVector, scoreOfVector } from './risk.js';

/** An advisory as Drupal.org's API writes it: all that it says but the name of its project, which may have to be looked up. */
export interface ArchiveNode {
  readonly stated: Omit<StatedAdvisory, 'module'>;
  /** When its node last changed. */
  readonly changedAt: Date;
  readonly project: { readonly nid: number; readonly machineName: string | null };
}

/** Longer texts than this are no advisory. */
const LONGEST_TEXT = 256 * 1024;

/** NUL, or half of a surrogate pair: JSON can say them, Postgres stores neither. */
const UNSTORABLE = /\0|\p{Surrogate}/u;

/**
 * Reads one node of type `sa`.
 * @returns null for one that is no advisory on a project (an announcement)
 * @throws UnreadableAdvisoryError
 */
export function readArchiveNode(node: unknown): ArchiveNode | null {
  if (!isRecord(node)) throw new UnreadableAdvisoryError(null, 'it is no object');
  const title = typeof node['title'] === 'string' ? node['title'].trim() : '';
  const url = text(node['url']) ?? '';
  if (String(node['field_is_psa']) === '1') return null;
  const advisory = advisoryId({ title, link: url });
  if (advisory === null) {
    // An announcement says so by its flag: what neither says so nor has an id may be anything.
    throw new UnreadableAdvisoryError(null, 'it has no id');
  }
  const fail = (message: string) => new UnreadableAdvisoryError(advisory, message);
  const published = instant(node['created']);
  const changedAt = instant(node['changed']);
  if (published === null || changedAt === null) throw fail('it has no date of publication or change');
  const project = isRecord(node['field_project']) ? node['field_project'] : {};
  const nid = Number(project['id']);
  if (!Number.isSafeInteger(nid) || nid <= 0) throw fail('it names no project');
  const machineName = text(project['machine_name']);
  if (machineName !== null && !PROJECT_NAME.test(machineName)) throw fail('it names no project');

  const criticality = text(node['field_sa_criticality']);
  const vector = criticality === null ? null : riskVector(criticality);
  const score = vector === null ? null : scoreOfVector(vector);
  const solution = richText(node['field_sa_solution']);
  const description = richText(node['field_sa_description']);
  if (Math.max(title.length, solution.length, description.length) > LONGEST_TEXT) throw fail('it is too long');
  const listed = node['field_sa_cve'];
  const cves = Array.isArray(listed) ? listed.filter((cve) => typeof cve === 'string') : [];
  const vulnerability = text(node['field_sa_type']);
  const affectedVersions = text(node['field_affected_versions']);
  // One such node must not keep the whole archive from being written.
  const texts = [title, url, solution, description, vulnerability ?? '', affectedVersions ?? '', ...cves];
  if (texts.some((stated) => UNSTORABLE.test(stated))) throw fail('it holds characters that are no text');
  return {
    changedAt,
    project: { nid, machineName },
    stated: {
      advisory,
      title,
      url,
      published,
      risk: score === null ? riskOfTitle(title) : riskOfScore(score),
      riskScore: score,
      riskVector: vector,
      vulnerability,
      cves,
      affectedVersions,
      solution,
      description,
    },
  };
}

/** Machine name of a project's node, by its number; null: the node is no project. */
export function readProjectNode(node: unknown): { readonly nid: number; readonly module: string } | null {
  if (!isRecord(node)) return null;
  const module = text(node['field_project_machine_name']);
  const nid = Number(node['nid']);
  if (module === null || !PROJECT_NAME.test(module) || !Number.isSafeInteger(nid)) return null;
  return { nid, module };
}

/** A field of plain text, blanks collapsed; null: it is empty or none. */
function text(value: unknown): string | null {
  return typeof value === 'string' && value.length <= LONGEST_TEXT ? value.replace(/\s+/g, ' ').trim() || null : null;
}

/** HTML of a field of rich text: `{value, format}`, a list of such, or an empty list. */
function richText(value: unknown): string {
  const items: unknown[] = Array.isArray(value) ? value : [value];
  return items
    .flatMap((item) => (isRecord(item) && typeof item['value'] === 'string' ? [item['value']] : []))
    .join(' ');
}

/** Of whole Unix seconds, as text or number. */
function instant(value: unknown): Date | null {
  return /^\d{1,10}$/.test(String(value)) ? new Date(Number(value) * 1000) : null;
}
