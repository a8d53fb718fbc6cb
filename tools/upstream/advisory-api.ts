import { descriptionHtml, shownTitle, solutionHtml } from './advisory-text.js';
import type { CatalogueAt } from './catalogue-at.js';
import type { AdvisoryRecord, ProjectRecord } from './records.js';

/** Drupal.org answers fifty nodes at most, whatever `limit` says. */
const MOST_NODES = 50;
const BASE = 'https://www.drupal.org/api-d7';

export interface ApiOptions {
  /** Whether references to projects carry the project's machine name; Drupal.org documents that they do, and has not always done so. */
  readonly machineNames: boolean;
}

/**
 * `/api-d7/node.json` as Drupal.org's RESTful Web Services answer it, for nodes of type `sa` and for projects by number:
 * `{self, first, last, prev?, next?, list}`, filters as query parameters, `sort` (nid, created, changed), `direction`, `limit`, `page` from 0.
 * The links lack `.json`, as theirs do. Bodies are short: the recorded facts have none.
 * @returns null for a page past the end
 */
export function nodeJson(
  query: URLSearchParams,
  catalogue: CatalogueAt,
  now: number,
  { machineNames }: ApiOptions,
): object | null {
  const nodes = matching(query, catalogue, now, machineNames);
  const sort = query.get('sort') ?? 'nid';
  const sign = (query.get('direction') ?? 'ASC').toUpperCase() === 'DESC' ? -1 : 1;
  const key = ({ order }: Entry) => order[sort as keyof Entry['order']] ?? 0;
  nodes.sort((a, b) => sign * (key(a) - key(b)) || a.order.nid - b.order.nid);
  const limit = Math.min(MOST_NODES, Math.max(1, Number(query.get('limit') ?? MOST_NODES)));
  const page = Number(query.get('page') ?? '0');
  const last = Math.max(0, Math.ceil(nodes.length / limit) - 1);
  if (!Number.isInteger(page) || page < 0 || page > last) return null;
  const link = (number: number) => {
    const linked = new URLSearchParams(query);
    linked.set('page', String(number));
    return `${BASE}/node?${linked.toString()}`;
  };
  return {
    self: link(page),
    first: link(0),
    last: link(last),
    ...(page > 0 ? { prev: link(page - 1) } : {}),
    ...(page < last ? { next: link(page + 1) } : {}),
    list: nodes.slice(page * limit, (page + 1) * limit).map(({ node }) => node()),
  };
}

type Node = Record<string, unknown>;

/** A node that is written only when its page is asked for. */
interface Entry {
  readonly order: { readonly nid: number; readonly created: number; readonly changed: number };
  readonly node: () => Node;
}

function matching(query: URLSearchParams, catalogue: CatalogueAt, now: number, machineNames: boolean): Entry[] {
  const nids = new Set(query.getAll('nid[]').map(Number));
  if (nids.size > 0) {
    return catalogue.projectsByNid(nids).map((name) => {
      const nid = catalogue.nidOfProject(name);
      return { order: { nid, created: 0, changed: 0 }, node: () => projectNode(name, nid, catalogue.project(name)) };
    });
  }
  if (query.get('type') !== 'sa' || query.get('field_is_psa') === '1') return [];
  return catalogue.advisoriesAt(now).map((advisory) => {
    const created = seconds(advisory.published);
    const changed = Math.max(created, Math.floor(catalogue.changedAt(advisory, now) / 1000));
    const order = { nid: catalogue.nidOfAdvisory(advisory.id), created, changed };
    return { order, node: () => advisoryNode(catalogue, advisory, order, machineNames) };
  });
}

function advisoryNode(
  catalogue: CatalogueAt,
  advisory: AdvisoryRecord,
  { nid, created, changed }: Entry['order'],
  machineNames: boolean,
): Node {
  const title = catalogue.project(advisory.project)?.title ?? advisory.project;
  return {
    body: [],
    field_project: {
      ...reference(catalogue.nidOfProject(advisory.project)),
      ...(machineNames ? { machine_name: advisory.project } : {}),
    },
    field_sa_advisory_id: advisory.id.split('-').at(-1),
    field_is_psa: '0',
    field_sa_criticality: advisory.vector ?? null,
    field_sa_type: advisory.type ?? null,
    field_affected_versions: advisory.affected ?? null,
    field_sa_cve: advisory.cve ?? [],
    field_sa_description: rich(descriptionHtml(advisory)),
    field_sa_solution: rich(solutionHtml(advisory, title)),
    field_sa_reported_by: [],
    field_sa_fixed_by: [],
    field_sa_coordinated_by: [],
    field_fixed_in: (advisory.fixed ?? []).map((_, place) => reference(nid * 100 + place)),
    nid: String(nid),
    vid: String(nid + 10_000_000),
    is_new: false,
    type: 'sa',
    title: shownTitle(advisory, title),
    language: 'und',
    url: advisory.url,
    edit_url: `https://www.drupal.org/node/${nid}/edit`,
    status: '1',
    promote: '0',
    sticky: '0',
    created: String(created),
    changed: String(changed),
    author: { uri: `${BASE}/user/0`, id: '0', resource: 'user', name: 'Drupal Security Team' },
    book_ancestors: [],
    comment: '0',
    comments: [],
    comment_count: '0',
    comment_count_new: '0',
    feed_nid: null,
    flag_tracker_follower_count: null,
    has_new_content: null,
    last_comment_timestamp: String(created),
  };
}

function projectNode(name: string, nid: number, project: ProjectRecord | undefined): Node {
  return {
    nid: String(nid),
    type: project?.type ?? 'project_module',
    title: project?.title ?? name,
    url: `https://www.drupal.org/project/${name}`,
    status: '1',
    field_project_machine_name: name,
  };
}

const reference = (nid: number) => ({ uri: `${BASE}/node/${nid}`, id: String(nid), resource: 'node' });
const rich = (value: string) => ({ value, format: '1' });
const seconds = (instant: string) => Math.floor(Date.parse(instant) / 1000);
