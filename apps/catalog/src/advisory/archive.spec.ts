import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/testing';
import { assembleFacts } from './advisory-facts.js';
import { readArchiveNode, readProjectNode } from './archive-node.js';
import { readArchivePage } from './archive-page.js';
import type { ReadArchiveService, ReadPage } from './read-archive.service.js';
import { riskOfScore, riskOfTitle, riskVector, scoreOfVector } from './risk.js';
import { WalkArchiveService, type ArchiveKnowledge } from './walk-archive.service.js';

const node = (rest: object = {}) => ({
  nid: '3600001',
  type: 'sa',
  title: 'Thing - Critical - Access bypass - SA-CONTRIB-2026-001',
  url: 'https://www.drupal.org/sa-contrib-2026-001',
  created: '1767225600',
  changed: '1767312000',
  field_is_psa: '0',
  field_project: { uri: 'https://www.drupal.org/api-d7/node/42', id: '42', resource: 'node' },
  field_sa_criticality: 'AC:Basic/A:None/CI:Some/II:Some/E:Theoretical/TD:Default',
  field_sa_type: 'Access bypass',
  field_affected_versions: '<1.5.0 || >=2.0.0 <2.1.0',
  field_sa_cve: ['CVE-2026-0001'],
  field_sa_description: { value: '<p>It has a hole.</p>', format: '1' },
  field_sa_solution: [{ value: '<a href="https://www.drupal.org/project/thing/releases/2.1.0">Thing 2.1.0</a>' }],
  ...rest,
});
const links = (page: number, last: number) => ({
  self: `https://www.drupal.org/api-d7/node?type=sa&page=${page}`,
  first: 'https://www.drupal.org/api-d7/node?type=sa&page=0',
  last: `https://www.drupal.org/api-d7/node?type=sa&page=${last}`,
  ...(page < last ? { next: `https://www.drupal.org/api-d7/node?type=sa&page=${page + 1}` } : {}),
});

describe('an advisory of the archive', () => {
  it('says what the feed says, with score and level worked out from the vector', () => {
    const read = readArchiveNode(node())!;
    expect([read.project, read.changedAt.toISOString()]).toEqual([
      { nid: 42, machineName: null },
      '2026-01-02T00:00:00.000Z',
    ]);
    expect(assembleFacts({ ...read.stated, module: 'thing' })).toMatchObject({
      advisory: 'SA-CONTRIB-2026-001',
      module: 'thing',
      published_at: '2026-01-01T00:00:00.000Z',
      risk: 'critical',
      risk_score: 15,
      vulnerability: 'Access bypass',
      cves: ['CVE-2026-0001'],
      affected: '<1.5.0 || >=2.0.0 <2.1.0',
      fixed: ['2.1.0'],
      unsupported: false,
    });
  });

  it('may lack a fix, a range, a vector: what is missing is not guessed', () => {
    const { stated } = readArchiveNode(
      node({ field_affected_versions: null, field_sa_solution: [], field_sa_criticality: null, field_sa_cve: [] }),
    )!;
    expect(assembleFacts({ ...stated, module: 'thing' })).toMatchObject({
      affected: null,
      fixed: [],
      risk: 'critical',
      risk_score: null,
      cves: [],
      unsupported: false,
    });
  });

  it('is refused when it cannot be understood, and told apart from an announcement', () => {
    expect(readArchiveNode(node({ field_is_psa: '1', title: 'PSA-2026-09-21' }))).toBeNull();
    expect(() => readArchiveNode(node({ title: 'x', url: 'https://www.drupal.org/x' }))).toThrow(/no id/);
    expect(() => readArchiveNode(node({ created: 'yesterday' }))).toThrow(/no date/);
    expect(() => readArchiveNode(node({ field_project: [] }))).toThrow(/no project/);
    expect(() => readArchiveNode(node({ field_project: { id: '42', machine_name: '../x' } }))).toThrow(/no project/);
    expect(() => readArchiveNode(node({ field_sa_description: { value: 'x'.repeat(300_000) } }))).toThrow(/too long/);
    for (const unstorable of [{ title: 'a\0 SA-CONTRIB-2026-001' }, { field_sa_description: { value: '\ud800' } }])
      expect(() => readArchiveNode(node(unstorable))).toThrow(/no text/);
    expect(() => readArchiveNode('node')).toThrow(/no object/);
    expect(readProjectNode({ nid: '42', field_project_machine_name: 'thing' })).toEqual({ nid: 42, module: 'thing' });
    expect(readProjectNode({ nid: '42', field_project_machine_name: { machine_name: 'thing' } })).toBeNull();
  });

  it('has the score that the security team’s calculator gives', () => {
    expect(scoreOfVector('AC:None/A:None/CI:All/II:All/E:Exploit/TD:All')).toBe(25);
    expect(scoreOfVector('AC:Complex/A:Admin/CI:None/II:None/E:Theoretical/TD:Uncommon')).toBe(4);
    expect(scoreOfVector('AC:Basic/A:None/CI:Somme/II:Some/E:Theoretical/TD:Default')).toBeNull();
    expect(scoreOfVector('AC:Basic/A:None')).toBeNull();
    expect([0, 4, 5, 9, 10, 14, 15, 19, 20, 25].map(riskOfScore)).toEqual(
      ['not', 'not', 'less', 'less', 'moderately', 'moderately', '', '', 'highly', 'highly'].map((word) =>
        word ? `${word}_critical` : 'critical',
      ),
    );
    expect(riskOfTitle('Thing - Less critical - XSS - SA-CONTRIB-2026-001')).toBe('less_critical');
    expect(riskVector('see AC:Basic/A:None/CI:Some for more')).toBe('AC:Basic/A:None/CI:Some');
  });
});

describe('a page of the archive', () => {
  it('is read whole or not at all, and only when its links fit the page that was asked for', () => {
    const page = (body: object) => JSON.stringify(body);
    expect(readArchivePage(page({ ...links(0, 1), list: [1] }), 0)).toEqual({ nodes: [1], more: true });
    expect(readArchivePage(page({ ...links(1, 1), list: [] }), 1)).toEqual({ nodes: [], more: false });
    const refused: [string, number][] = [
      ['', 0],
      [page({ ...links(0, 1), list: [1] }).slice(0, -5), 0],
      [page(links(0, 0)), 0],
      ['[]', 0],
      // A cache that answers every page with the first.
      [page({ ...links(0, 3), list: [1] }), 2],
      // A next page that skips one; an end before the last page.
      [page({ ...links(0, 3), next: links(2, 3).self, list: [1] }), 0],
      [page({ ...links(0, 3), next: undefined, list: [1] }), 0],
      [page({ list: [1] }), 0],
    ];
    for (const [text, number] of refused) expect(() => readArchivePage(text, number)).toThrow();
  });
});

describe('a walk over the archive', () => {
  const clock = new ManualClock('2026-03-03T10:00:00Z');
  const advisory = (number: number, changed = number) =>
    readArchiveNode(
      node({
        url: `https://www.drupal.org/sa-contrib-2026-${number}`,
        changed: String(1_767_225_600 + changed),
        field_project: { id: String(number), ...(number % 2 ? { machine_name: `thing_${number}` } : {}) },
      }),
    )!;
  const nothing: ArchiveKnowledge = { whole: false, changedUntil: null, projects: new Map() };

  function over(pages: ReadPage[], names: Record<number, string> = {}) {
    const asked: (string | readonly number[])[] = [];
    const reader: Pick<ReadArchiveService, 'page' | 'projects'> = {
      page: (order, number) => {
        asked.push(`${order} ${number}`);
        clock.advance(90_000);
        return Promise.resolve(pages[number]!);
      },
      projects: (nids) => {
        asked.push(nids);
        return Promise.resolve(new Map(Object.entries(names).map(([nid, name]) => [Number(nid), name])));
      },
    };
    return { walk: new WalkArchiveService(clock, reader as ReadArchiveService), asked };
  }
  const page = (nodes: number[], more: boolean, rest: Partial<ReadPage> = {}): ReadPage => ({
    nodes: nodes.map((number) => advisory(number)),
    unreadable: [],
    more,
    ...rest,
  });

  it('reads all by number when nothing is known, and looks up each project once', async () => {
    const { walk, asked } = over([page([1, 2], true), page([3], false)], { 2: 'thing_two' });
    const found = await walk.walk(nothing);
    expect(asked).toEqual(['number 0', 'number 1', [2]]);
    expect(found.seen.map(({ module }) => module)).toEqual(['thing_1', 'thing_two', 'thing_3']);
    expect(found).toMatchObject({ whole: true, trustworthy: true, floor: -Infinity });
    const again = over([page([1, 2], false)]);
    await again.walk.walk({ ...nothing, projects: found.projects });
    expect(again.asked).toEqual(['number 0']);
  });

  it('reads the latest changes down to what is known, and says nothing of the rest', async () => {
    const { walk, asked } = over([page([9, 8], true), page([7, 6], true), page([5], false)]);
    const changedUntil = new Date((1_767_225_600 + 7) * 1000);
    const found = await walk.walk({
      ...nothing,
      changedUntil,
      projects: new Map([
        [8, 'a'],
        [6, 'b'],
      ]),
    });
    expect(asked).toEqual(['latest change 0', 'latest change 1']);
    expect(found).toMatchObject({ whole: false, floor: Infinity });
  });

  it('knows that an advisory is there whose project nobody can name, and trusts no list with an entry without an id', async () => {
    const { walk } = over([page([2], false, { unreadable: [null] })]);
    const found = await walk.walk(nothing);
    expect([found.seen, [...found.unreadable], found.trustworthy]).toEqual([[], ['SA-CONTRIB-2026-2'], false]);
  });

  it('is given up when it takes longer than its lease', async () => {
    const { walk } = over(Array.from({ length: 9 }, () => page([1], true)));
    await expect(walk.walk(nothing)).rejects.toMatchObject({ code: 'timeout' });
  });
});
