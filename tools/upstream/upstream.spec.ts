import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { SaxesParser } from 'saxes';
import { advisoryRss, FEED_SIZE } from './advisory-rss.js';
import { CatalogueAt } from './catalogue-at.js';
import { loadRecords } from './records.js';
import { startUpstream, type Upstream } from './server.js';

/** Recorded documents of Drupal.org itself; they are not part of the project. */
const REAL = join(
  process.env['PATCHWATCH_REAL_DATA_DIR'] ?? join(process.cwd(), '..', 'shared', 'data', 'real'),
  'xml',
);
const hasReal = existsSync(REAL);
const there = (name: string) =>
  hasReal ? name : `skipped, no recorded documents here (PATCHWATCH_REAL_DATA_DIR names their folder): ${name}`;

const withReal = hasReal ? test : test.skip;

describe('the stand-in for Drupal.org', () => {
  let now = new Date('2026-10-01T00:00:00Z');
  let upstream: Upstream;
  beforeAll(async () => {
    upstream = await startUpstream({ clock: { now: () => now }, controlOverHttp: true });
  });
  afterAll(() => upstream.stop());

  const get = (path: string, headers: Record<string, string> = {}) => fetch(upstream.url + path, { headers });
  const history = async (project: string, at = '2026-10-01T00:00:00Z') => {
    now = new Date(at);
    return await (await get(`/release-history/${project}/current`)).text();
  };
  const versions = (xml: string) => [...xml.matchAll(/<version>([^<]*)/g)].map((match) => match[1]!);
  const branches = (xml: string) => /<supported_branches>([^<]*)/.exec(xml)?.[1];

  it('lists releases newest first over all branches, then snapshots, and ends core with dev-main', async () => {
    const core = versions(await history('drupal'));
    expect(core.slice(0, 2)).toEqual(['11.4.7', '11.4.5']);
    expect(core.slice(-4)).toEqual(['11.4.x-dev', '11.3.x-dev', '10.6.x-dev', 'dev-main']);
    expect(core.indexOf('10.3.0')).toBeLessThan(core.indexOf('10.3.0-rc1'));
    expect(core.some((version) => /^[4-7]\./.test(version))).toBe(false);
    expect(versions(await (await get('/release-history/drupal/7.x')).text())).toContain('7.58');
  });

  it.each([
    ['2018-03-28T17:00:00Z', '8.5.'],
    ['2020-07-01T00:00:00Z', '8.8.,8.9.,9.0.'],
    ['2024-10-15T00:00:00Z', '10.2.,10.3.,10.4.,11.0.'],
    ['2026-09-16T18:00:00Z', '10.6.,11.3.,11.4.'],
  ])('names the branches of core that were supported at %s', async (at, expected) => {
    expect(branches(await history('drupal', at))).toBe(expected);
  });

  it('knows only what was public at its instant', async () => {
    const before = await history('drupal', '2018-03-28T18:14:09Z');
    expect(versions(before)).not.toContain('8.5.1');
    expect(marks(before, '8.5.0')).toEqual([]);
    const after = await history('drupal', '2018-03-28T18:14:11Z');
    expect(versions(after)).toContain('8.5.1');
    expect(marks(after, '8.5.1')).toEqual(['Security update']);
    expect(marks(after, '8.5.0')).toEqual(['Insecure']);
  });

  it('marks a project that the security team has given up', async () => {
    const status = (xml: string) => /<project_status>([^<]*)/.exec(xml)?.[1];
    expect(status(await history('swiftmailer', '2024-01-01T00:00:00Z'))).toBe('published');
    expect(status(await history('swiftmailer', '2024-02-01T00:00:00Z'))).toBe('unsupported');
  });

  it('answers conditional requests with 304, and an unknown project with 200', async () => {
    const first = await get('/release-history/token/current');
    const etag = first.headers.get('etag')!;
    const modified = first.headers.get('last-modified')!;
    expect((await get('/release-history/token/current', { 'if-none-match': etag })).status).toBe(304);
    expect((await get('/release-history/token/current', { 'if-modified-since': modified })).status).toBe(304);
    expect((await get('/release-history/token/current', { 'if-none-match': '"other"' })).status).toBe(200);
    const unknown = await get('/release-history/no_such_project/current');
    expect([unknown.status, await unknown.text()]).toEqual([
      200,
      expect.stringContaining(
        '<error>No release history was found for the requested project (no_such_project).</error>',
      ),
    ]);
  });

  it('writes recorded projects as well-formed XML with at least one supported branch', async () => {
    now = new Date('2026-10-01T00:00:00Z');
    const odd: string[] = [];
    let written = 0;
    // Every eighth: the whole takes long on a busy machine and found nothing more.
    for (const { name } of loadRecords().projects.filter((_, index) => index % 8 === 0)) {
      const xml = await (await get(`/release-history/${name}/current`)).text();
      shapeOf(xml);
      if (xml.includes('<error>')) continue;
      written += 1;
      if (!branches(xml)) odd.push(name);
    }
    expect(odd).toEqual([]);
    expect(written).toBeGreaterThan(200);
  });

  it('has a feed of one page, whatever page is asked for', async () => {
    now = new Date('2026-10-01T00:00:00Z');
    const feed = await (await get('/security/all/rss.xml')).text();
    expect(feed.match(/<item>/g)).toHaveLength(FEED_SIZE);
    expect(await (await get('/security/all/rss.xml?page=3')).text()).toBe(feed);
  });

  it('lists all advisories by pages of fifty at most, whose links lack their ending, as Drupal.org’s do', async () => {
    now = new Date('2026-10-01T00:00:00Z');
    const list = async (query: string) => {
      const response = await get(`/api-d7/node.json?${query}`);
      return response.ok ? ((await response.json()) as ApiPage) : null;
    };
    const pages: ApiPage[] = [];
    for (let page = 0; ; page++) {
      const found = (await list(`type=sa&sort=nid&direction=ASC&limit=100&page=${page}`))!;
      pages.push(found);
      if (!found.next) break;
      expect(found.next).toBe(
        `https://www.drupal.org/api-d7/node?type=sa&sort=nid&direction=ASC&limit=100&page=${page + 1}`,
      );
    }
    const nodes = pages.flatMap(({ list: found }) => found);
    expect(Math.max(...pages.map(({ list: found }) => found.length))).toBe(50);
    expect(new Set(nodes.map(({ nid }) => nid)).size).toBe(loadRecords().advisories.length);
    expect(pages[0]!.last).toContain(`page=${pages.length - 1}`);
    expect(await list(`type=sa&page=${pages.length}`)).toBeNull();

    const changed = (await list('type=sa&sort=changed&direction=DESC&limit=10'))!.list.map((node) =>
      Number(node.changed),
    );
    expect(changed).toEqual([...changed].sort((a, b) => b - a));
    const projects = (await list(`nid[]=3060&nid[]=${nodes[0]!.field_project.id}`))!.list;
    expect(projects.map((project) => project.field_project_machine_name)).toContain('drupal');
  });

  it('can be told news over HTTP', async () => {
    const control = (verb: string, body: unknown) =>
      fetch(`${upstream.url}/_control/${verb}`, { method: 'POST', body: JSON.stringify(body) });
    expect((await control('publish-release', { project: 'brand_new', version: '1.0.0' })).status).toBe(204);
    expect(versions(await history('brand_new'))).toEqual(['1.0.0', '1.0.x-dev']);
    expect((await control('break', { fault: { kind: 'status', status: 503 }, times: 1 })).status).toBe(204);
    expect((await get('/release-history/token/current')).status).toBe(503);
    expect((await get('/release-history/token/current')).status).toBe(200);
    expect((await control('no-such-verb', {})).status).toBe(404);
  });

  withReal(there('writes the elements of recorded documents, in their order'), async () => {
    const folder = join(REAL, 'format-reference');
    const documents = [await history('drupal'), await history('webform'), await history('token')].map(shapeOf);
    const ours = mergeShapes(documents);
    let compared = 0;
    for (const file of readdirSync(folder)) {
      const reference = shapeOf(gunzipSync(readFileSync(join(folder, file))).toString('utf8'));
      for (const [path, children] of reference) {
        if (path === 'error') continue;
        const known = ours.get(path) ?? [];
        // core_compatibility stands elsewhere in core's own made-up test documents than in real ones.
        const made = file.startsWith('SYNTHETIC');
        const expected = children.filter((child) => !(made && child === 'core_compatibility'));
        expect([file, path, known.filter((child) => expected.includes(child))]).toEqual([file, path, expected]);
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(20);
  });

  withReal(there('writes the advisory feed in the form of the recorded one'), async () => {
    now = new Date('2026-10-01T00:00:00Z');
    const name = readdirSync(REAL).find((file) => file.startsWith('security-advisories_rss'))!;
    const recorded = items(gunzipSync(readFileSync(join(REAL, name))).toString('utf8'));
    const ours = new Map<string, Map<string, string>>();
    const catalogue = new CatalogueAt(loadRecords());
    for (let from = 0; from < 60; from += FEED_SIZE) {
      for (const item of items(advisoryRss(catalogue, now.getTime(), from))) ours.set(item.get('link')!, item);
    }
    expect(recorded.length).toBeGreaterThan(2);
    for (const item of recorded) {
      const found = ours.get(item.get('link')!);
      expect([...(found?.keys() ?? [])]).toEqual([...item.keys()]);
      expect(found?.get('title')).toBe(item.get('title'));
      expect(found?.get('pubDate')).toBe(item.get('pubDate'));
      const fields = (html: string) =>
        [...html.matchAll(/<div class="(field field-name-[^"]*)">/g)].map((match) => match[1]);
      const recordedFields = fields(item.get('description')!);
      // A field that no record fills is left out; those that are there stand in the same order, with the same classes.
      expect(recordedFields).toEqual(expect.arrayContaining(fields(found!.get('description')!)));
      expect(recordedFields.filter((field) => fields(found!.get('description')!).includes(field))).toEqual(
        fields(found!.get('description')!),
      );
    }
  });
});

/** As much of the API's answer as is looked at here. */
interface ApiPage {
  readonly last: string;
  readonly next?: string;
  readonly list: {
    readonly nid: string;
    readonly changed: string;
    readonly field_project: { readonly id: string };
    readonly field_project_machine_name?: string;
  }[];
}

function marks(xml: string, version: string): string[] {
  const release = xml.split('<release>').find((part) => part.includes(`<version>${version}</version>`)) ?? '';
  return [...release.matchAll(/<name>Release type<\/name><value>([^<]*)/g)].map((match) => match[1]!);
}

/** Names of the children of each element path, in order of appearance, each once. Throws for what is not well-formed. */
function shapeOf(xml: string): Map<string, string[]> {
  const parser = new SaxesParser({ xmlns: false });
  const shape = new Map<string, string[]>();
  const path: string[] = [];
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name }) => {
    const parent = path.join('/');
    const children = shape.get(parent) ?? [];
    if (parent && !children.includes(name)) shape.set(parent, [...children, name]);
    path.push(name);
  });
  parser.on('closetag', () => void path.pop());
  parser.write(xml).close();
  return shape;
}

/** One shape that holds the children of all, where each alone leaves some out. */
function mergeShapes(shapes: readonly Map<string, string[]>[]): Map<string, string[]> {
  const merged = new Map<string, string[]>();
  for (const shape of shapes) {
    for (const [path, children] of shape) {
      const known = merged.get(path) ?? [];
      let at = 0;
      for (const child of children) {
        const place = known.indexOf(child);
        if (place >= 0) at = place + 1;
        else known.splice(at++, 0, child);
      }
      merged.set(path, known);
    }
  }
  return merged;
}

/** Items of a feed: the text of each child by its name. */
function items(xml: string): Map<string, string>[] {
  const parser = new SaxesParser({ xmlns: false });
  const found: Map<string, string>[] = [];
  let text = '';
  parser.on('opentag', ({ name }) => {
    text = '';
    if (name === 'item') found.push(new Map());
  });
  parser.on('text', (piece) => {
    text += piece;
  });
  let inside = false;
  parser.on('opentagstart', ({ name }) => {
    if (name === 'item') inside = true;
  });
  parser.on('closetag', ({ name }) => {
    if (name === 'item') inside = false;
    else if (inside) found.at(-1)!.set(name, text);
  });
  parser.write(xml).close();
  return found;
}
