import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_DOCUMENT_BYTES } from './document-pieces.js';
import { prepareHistory } from './prepared-history.js';
import { projectStatus } from './project-status.js';
import { MAX_DOCUMENT_DEPTH, readReleaseHistory, readReleaseHistoryInSlices } from './release-history-reader.js';
import { sampleHistory, sampleXml } from './sample-history.js';
import { UnreadableDocumentError } from './unreadable-document.js';

const project = (content: string) => `<project><short_name>token</short_name>${content}</project>`;
const release = (content: string) => project(`<releases><release>${content}</release></releases>`);
const firstRelease = (content: string) => readReleaseHistory(release(content)).releases[0];

function refusal(xml: string | Uint8Array): string {
  try {
    readReleaseHistory(xml);
  } catch (error) {
    if (error instanceof UnreadableDocumentError) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('reading a release history', () => {
  test('gives back what was written, in the order of the document', () => {
    const history = sampleHistory('8.x-1.,2.0.', [
      [
        '2.0.1',
        {
          types: ['Security update', 'Bug fixes'],
          security: { covered: true, text: 'Covered & fine' },
          core_compatibility: '^10 || ^11',
        },
      ],
      ['8.x-1.9', { terms: {}, date: undefined }],
      ['10', { status: 'unpublished' }],
      '8.x-1.x-dev',
    ]);
    expect(readReleaseHistory(sampleXml(history))).toEqual(history);
  });

  test('text is not trimmed, entities and CDATA count, comments and children do not', () => {
    const xml = project('<title> Foo <em>bar</em><!-- no -->&amp; <![CDATA[<b>]]>&#x41;\n</title>');
    expect(readReleaseHistory(xml).title).toBe(' Foo & <b>A\n');
  });

  test('line ends are made plain, wherever a slice falls, but not those written as references', async () => {
    const xml = project('<title>a\r\nb\rc\n&#13;d\r\r\n</title>');
    const expected = 'a\nb\nc\n\rd\n\n';
    expect(readReleaseHistory(xml).title).toBe(expected);
    for (const length of [1, 2, 3, 5]) expect((await readReleaseHistoryInSlices(xml, length)).title).toBe(expected);
  });

  test('elements with a namespace prefix are not seen; a default namespace changes nothing', () => {
    const xml =
      '<project xmlns="urn:x" xmlns:dc="urn:y"><dc:short_name/><short_name>a</short_name><dc:title>no</dc:title></project>';
    expect(readReleaseHistory(xml)).toEqual({ short_name: 'a', releases: [] });
  });

  test('a prefix that nobody declared is part of the name, so such a child of releases is a release', () => {
    const named = (prefix: string, declaration: string) =>
      `<${prefix}:r ${declaration}><version>${prefix}</version></${prefix}:r>`;
    const xml = project(
      `<releases>${named('x', '')}${named('y', 'xmlns:y="urn:y"')}${named('z', 'xmlns:z=""')}</releases>`,
    );
    expect(readReleaseHistory(xml).releases).toEqual([{ version: 'x' }, { version: 'z' }]);
  });

  test('of a repeated element the last one counts', () => {
    expect(readReleaseHistory(project('<title>a</title><title>b</title>')).title).toBe('b');
    expect(firstRelease('<version>1.0</version><status>a</status><status>b</status>')?.status).toBe('b');
  });

  test('of releases, terms, and a term’s name and value the first one counts', () => {
    const xml = project(
      '<releases><release><version>1.0</version><terms><term><name>a</name><name>b</name><value>1</value><value>2</value></term></terms>' +
        '<terms><term><name>c</name><value>3</value></term></terms></release></releases><releases><release/></releases>',
    );
    expect(readReleaseHistory(xml).releases).toEqual([{ version: '1.0', terms: { a: ['1'] } }]);
  });

  test('the first version is the key and the last is shown', () => {
    expect(firstRelease('<version>1.0</version><version>1.1</version>')).toEqual({
      version: '1.0',
      display_version: '1.1',
    });
  });

  test('a repeated version keeps the place of the first and the data of the last', () => {
    const history = sampleHistory('1.', ['1.1', '1.0', ['1.1', { status: 'unpublished', date: undefined }]]);
    const { releases } = readReleaseHistory(sampleXml(history));
    expect(releases.map((entry) => [entry.version, entry.status, entry.date])).toEqual([
      ['1.1', 'unpublished', undefined],
      ['1.0', 'published', '1600000000'],
    ]);
  });

  test('children of releases are releases whatever they are called', () => {
    expect(readReleaseHistory(project('<releases><thing><version>1.0</version></thing></releases>')).releases).toEqual([
      { version: '1.0' },
    ]);
  });

  test('an element that is there and empty is not the same as one that is absent', () => {
    expect(firstRelease('<version>1.0</version><download_link/><date></date><terms/>')).toEqual({
      version: '1.0',
      download_link: '',
      date: '',
      terms: {},
    });
  });

  test('bytes are decoded as their mark or declaration says', () => {
    const xml = (encoding: string) => `<?xml version="1.0" encoding="${encoding}"?>${project('<title>é</title>')}`;
    expect(readReleaseHistory(Buffer.from(`\uFEFF${xml('utf-8')}`)).title).toBe('é');
    expect(readReleaseHistory(Buffer.from(xml('iso-8859-1'), 'latin1')).title).toBe('é');
    expect(readReleaseHistory(Buffer.from(`\uFEFF${xml('utf-16')}`, 'utf16le')).title).toBe('é');
    expect(refusal(Buffer.from(xml('utf-8'), 'latin1'))).toBe('encoding');
    expect(refusal(Buffer.from(xml('klingon')))).toBe('encoding');
  });

  test('an unknown project is told from a document without a project', () => {
    expect(refusal('<error>No release history was found for the requested project (x).</error>')).toBe(
      'project_not_found',
    );
    expect(refusal('<project><title>a</title></project>')).toBe('no_project');
    expect(refusal('')).toBe('empty');
  });
});

describe('a document that is not well-formed is refused as a whole:', () => {
  test.each([
    ['an unescaped ampersand', project('<title>a & b</title>')],
    ['an undefined entity', project('<title>&nbsp;</title>')],
    ['an entity named like a property of every object', project('<title>&constructor;</title>')],
    ['a NUL byte', project('<title>\0</title>')],
    ['truncation', project('<title>a</title>').slice(0, -4)],
    ['white space before the declaration', `\n<?xml version="1.0"?>${project('')}`],
    ['text after the root', `${project('')}x`],
    ['a repeated attribute', project('<a b="1" b="2"/>')],
    ['the end of CDATA in text', project('<title>]]></title>')],
  ])('%s', (_what, xml) => {
    expect(refusal(xml)).toBe('not_well_formed');
  });

  test('no declaration and a byte-order mark are fine', () => {
    expect(refusal(project(''))).toBe('accepted');
    expect(refusal(`\uFEFF<?xml version="1.0"?>${project('')}`)).toBe('accepted');
  });
});

describe('a hostile document', () => {
  test('with a document type is refused before anything in it is looked at', () => {
    const bomb = '<!DOCTYPE p [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><project><short_name>&b;</short_name></project>';
    expect(refusal(bomb)).toBe('doctype');
    expect(refusal('<!DOCTYPE p SYSTEM "file:///etc/passwd"><p/>')).toBe('doctype');
    expect(refusal(`<?xml version="1.0"?><!-- a --> <?b c?>\n<!DOCTYPE p [${'<!ENTITY a "b">'.repeat(100)}`)).toBe(
      'doctype',
    );
    expect(refusal(`<!--${'-a'.repeat(50_000)}--><!DOCTYPE p>${project('')}`)).toBe('doctype');
    expect(refusal(`<!-- <!DOCTYPE p> -->${project('<title><![CDATA[<!DOCTYPE p>]]></title>')}`)).toBe('accepted');
  });

  test('with endless attributes or releases is refused', () => {
    const attributes = (count: number) => Array.from({ length: count }, (_, index) => `a${index}="1"`).join(' ');
    expect(refusal(project(`<a ${attributes(200)}/><a ${attributes(200)}/>`))).toBe('accepted');
    expect(refusal(project(`<a ${attributes(201)}/>`))).toBe('too_complex');
    const releases = (count: number) =>
      Array.from({ length: count }, (_, index) => `<r><version>1.${index}</version></r>`);
    expect(refusal(project(`<releases>${releases(25_000).join('')}</releases>`))).toBe('accepted');
    expect(refusal(project(`<releases>${releases(25_001).join('')}</releases>`))).toBe('too_complex');
  });

  test('that nests too deep is refused', () => {
    const nested = (depth: number) => project('<a>'.repeat(depth) + '</a>'.repeat(depth));
    expect(refusal(nested(MAX_DOCUMENT_DEPTH - 1))).toBe('accepted');
    expect(refusal(nested(MAX_DOCUMENT_DEPTH))).toBe('too_deep');
  });

  test('that is too long is refused without being read', () => {
    expect(refusal(Buffer.alloc(MAX_DOCUMENT_BYTES + 1, 0x20))).toBe('too_large');
    expect(refusal(`<a>${'é'.repeat(MAX_DOCUMENT_BYTES / 2)}</a>`)).toBe('too_large');
  });

  test('with names of object properties changes nothing but its own release', () => {
    const document = readReleaseHistory(
      project(
        '<__proto__><polluted>1</polluted></__proto__><constructor>x</constructor><releases><release><version>1.0</version>' +
          '<__proto__>x</__proto__><terms><term><name>__proto__</name><value>polluted</value></term></terms></release></releases>',
      ),
    );
    expect(Object.keys(document.releases[0]?.terms ?? {})).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.getPrototypeOf([])).toBe(Array.prototype);
    const copied = JSON.parse(JSON.stringify(document)) as typeof document;
    expect(prepareHistory(copied).walk).toEqual([]);
  });

  test('is either read or refused with a reason, whatever is done to it', () => {
    const good = sampleXml(sampleHistory('1.', ['1.1', ['1.0', { types: ['Insecure'] }]]));
    const edit = fc.record({
      at: fc.nat(good.length),
      cut: fc.nat(12),
      put: fc.string({ unit: 'binary', maxLength: 6 }),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const xml = edits.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), good);
        let history = null;
        try {
          history = readReleaseHistory(xml);
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadableDocumentError);
        }
        expect(projectStatus({ project: 'drupal', version: '1.0' }, history).status).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });
});

describe('reading in slices', () => {
  test('gives the same as reading at once, wherever the slices fall', async () => {
    const xml = Buffer.from(
      sampleXml(sampleHistory('1.', ['1.1', ['1.0', { security: { covered: false, text: 'é😀&amp;' } }]])),
    );
    const whole = readReleaseHistory(xml);
    for (const length of [1, 2, 3, 7, 64, xml.length])
      expect(await readReleaseHistoryInSlices(xml, length)).toEqual(whole);
  });

  test('gives the event loop a turn between slices', async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 0);
    const releases = Array.from({ length: 2000 }, (_, index) => `1.${index}`);
    await readReleaseHistoryInSlices(sampleXml(sampleHistory('1.', releases)), 1024);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });
});
