import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { prepareHistory } from './prepared-history.js';
import { projectStatus } from './project-status.js';
import type { HistoryRelease, ReleaseHistoryDocument } from './release-history.js';
import { readReleaseHistory } from './release-history-reader.js';
import { sampleHistory, sampleXml, type SampleRelease } from './sample-history.js';

const types = fc.subarray(['Bug fixes', 'Security update', 'Insecure', 'Unsupported'], { maxLength: 2 });
const version = fc
  .tuple(
    fc.integer({ min: 1, max: 4 }),
    fc.nat(3),
    fc.nat(3),
    fc.constantFrom('', '', '', '-rc1', '-beta2'),
    fc.boolean(),
  )
  .map(([major, minor, patch, extra, old]) =>
    old ? `8.x-${major}.${patch}${extra}` : `${major}.${minor}.${patch}${extra}`,
  );
const snapshot = fc.integer({ min: 1, max: 4 }).map((major) => `${major}.x-dev`);
const release: fc.Arbitrary<[string, SampleRelease]> = fc.tuple(
  fc.oneof({ weight: 6, arbitrary: version }, snapshot),
  fc.record({
    types,
    status: fc.constantFrom('published', 'published', 'published', 'unpublished'),
    date: fc.option(fc.integer({ min: 1_500_000_000, max: 1_700_000_000 }).map(String), { nil: undefined }),
  }),
);
const branches = fc
  .subarray(['1.', '2.', '3.', '4.', '8.x-1.', '8.x-2.', '8.x-3.', '2.1.'])
  .map((list) => list.join(','));
const history: fc.Arbitrary<ReleaseHistoryDocument> = fc
  .tuple(
    fc.option(branches, { nil: undefined }),
    fc.uniqueArray(release, { selector: ([name]) => name, maxLength: 14 }),
  )
  .map(([supported, releases]) => sampleHistory(supported, releases));
const installedVersion = (document: ReleaseHistoryDocument) =>
  fc.oneof(
    version,
    snapshot,
    ...(document.releases.length > 0 ? [fc.constantFrom(...document.releases.map((entry) => entry.version))] : []),
  );
const installation = history.chain((document) =>
  fc.tuple(fc.constant(document), installedVersion(document), fc.constantFrom(0, 1_550_000_000, '1650000000')),
);

function verdict(document: ReleaseHistoryDocument | null, version: string, datestamp: number | string) {
  return projectStatus({ project: 'sample', version, datestamp }, document, { now: 1_700_000_000 });
}

function withReleases(document: ReleaseHistoryDocument, releases: HistoryRelease[]): ReleaseHistoryDocument {
  return { ...document, releases };
}

describe('what must not matter to a verdict', () => {
  test('releases that Drupal cannot use, wherever they stand', () => {
    const unusable: HistoryRelease[] = [
      { version: 'dev-main', status: 'published', release_link: 'x', date: '1' },
      { version: '4.9.9', status: 'published', release_link: 'x', download_link: '' },
      { version: '4.9.8', status: 'draft', release_link: 'x' },
      { version: '4.9.7', status: 'published', release_link: 'x', terms: { Topic: ['Security update'] } },
    ];
    fc.assert(
      fc.property(installation, fc.nat(), fc.constantFrom(...unusable), ([document, name, datestamp], place, extra) => {
        const releases = document.releases.filter((entry) => entry.version !== extra.version);
        const base = withReleases(document, releases);
        fc.pre(releases.length > 0 && name !== extra.version);
        const at = place % (releases.length + 1);
        const more = withReleases(document, [...releases.slice(0, at), extra, ...releases.slice(at)]);
        expect(verdict(more, name, datestamp)).toEqual(verdict(base, name, datestamp));
      }),
    );
  });

  test('releases added below the installed one', () => {
    fc.assert(
      fc.property(installation, fc.array(release, { maxLength: 4 }), ([document, name, datestamp], added) => {
        fc.pre(document.releases.some((entry) => entry.version === name));
        const known = new Set(document.releases.map((entry) => entry.version));
        const older = sampleHistory(
          '',
          added.filter(([entry]) => !known.has(entry)),
        ).releases;
        const before = verdict(document, name, datestamp);
        const after = verdict(withReleases(document, [...document.releases, ...older]), name, datestamp);
        // A snapshot's date is looked up among all releases, but only of versions found on the walk.
        expect(after).toEqual(before);
      }),
    );
  });

  test('the order of releases of two majors that stay in order among themselves, when neither is newer than the target', () => {
    fc.assert(
      fc.property(installation, ([document, name, datestamp]) => {
        const major = /^(?:8\.x-)?(\d+)/.exec(name)?.[1];
        const inBranch = document.supported_branches?.split(',').some((branch) => name.startsWith(branch));
        fc.pre(inBranch === true && document.releases.some((entry) => entry.version === name));
        const isOther = (entry: HistoryRelease) => /^(?:8\.x-)?(\d+)/.exec(entry.version)?.[1] !== major;
        const [others, same] = [
          document.releases.filter(isOther),
          document.releases.filter((entry) => !isOther(entry)),
        ];
        const older = others.filter((entry) => Number(/^(?:8\.x-)?(\d+)/.exec(entry.version)?.[1]) < Number(major));
        const first = verdict(withReleases(document, [...older, ...same]), name, datestamp);
        const last = verdict(withReleases(document, [...same, ...older]), name, datestamp);
        expect({ ...first, securityUpdates: [], report: null }).toEqual({ ...last, securityUpdates: [], report: null });
      }),
    );
  });

  test('what the project is called and titled', () => {
    fc.assert(
      fc.property(installation, fc.string(), ([document, name, datestamp], newName) => {
        const renamed = { ...document, short_name: newName, title: newName, link: newName };
        const before = verdict(document, name, datestamp);
        expect(verdict(renamed, name, datestamp)).toEqual({ ...before, title: newName, link: newName });
      }),
    );
  });

  test('whether the document was written, read and prepared before', () => {
    fc.assert(
      fc.property(installation, ([document, name, datestamp]) => {
        const read = readReleaseHistory(sampleXml(document));
        expect(verdict(read, name, datestamp)).toEqual(verdict(document, name, datestamp));
        const stored = prepareHistory(JSON.parse(JSON.stringify(read)) as ReleaseHistoryDocument);
        expect(projectStatus({ project: 'sample', version: name, datestamp }, stored, { now: 1_700_000_000 })).toEqual(
          verdict(document, name, datestamp),
        );
      }),
    );
  });
});

describe('what always holds', () => {
  test('a verdict names only releases of the history, and an insecure installed one is never called anything else', () => {
    fc.assert(
      fc.property(installation, ([document, name, datestamp]) => {
        const known = new Map(document.releases.map((entry) => [entry.version, entry]));
        const found = verdict(document, name, datestamp);
        for (const named of [
          found.recommended,
          found.latestVersion,
          found.devVersion,
          ...found.securityUpdates,
          ...found.releases,
        ]) {
          if (named !== null) expect(known.has(named)).toBe(true);
        }
        if (known.get(name)?.terms?.['Release type']?.includes('Insecure')) expect(found.status).toBe('NOT_SECURE');
        else expect(found.status).not.toBe('NOT_SECURE');
      }),
    );
  });

  test('no input makes it throw', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('', '0', '1.', '.', '8.x-', '1e9.0', 'x'.repeat(300), '__proto__'),
    );
    const odd = fc.record(
      {
        version: text,
        display_version: text,
        status: fc.constantFrom('published', 'unpublished', ''),
        release_link: text,
        date: text,
        terms: fc.dictionary(text, fc.array(text)),
        core_compatibility: text,
      },
      { requiredKeys: ['version', 'status'] },
    );
    const oddHistory = fc.record(
      { title: text, supported_branches: text, project_status: text, releases: fc.array(odd, { maxLength: 6 }) },
      { requiredKeys: ['releases'] },
    );
    const datestamp = fc.oneof(text, fc.double(), fc.constant(null));
    fc.assert(
      fc.property(oddHistory, text, datestamp, fc.double(), text, (document, name, stamp, now, timeZone) => {
        const installed = { project: 'drupal', version: name, datestamp: stamp };
        expect(projectStatus(installed, document as ReleaseHistoryDocument, { now, timeZone }).status).toBeDefined();
      }),
      { numRuns: 400 },
    );
  });
});
