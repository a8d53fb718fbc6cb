#!/usr/bin/env node
/**
 * Turns a folder of gathered facts (see data/README.md for what it must hold and where it comes from) into the compact
 * files that the stand-in for Drupal.org and the demonstration read. Output is deterministic: the same folder gives the
 * same bytes.
 *
 *   node tools/upstream/import.mjs <folder>
 *
 * Keeps facts only: no advisory text beyond its title, no names of people or sites.
 */
import { readFileSync, writeFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const source = process.argv[2];
if (!source) {
  console.error('usage: node tools/upstream/import.mjs <folder with projects.jsonl.gz, releases.jsonl.gz, …>');
  process.exit(2);
}

const read = (name) =>
  gunzipSync(readFileSync(join(source, `${name}.jsonl.gz`)))
    .toString('utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

function write(folder, name, records) {
  mkdirSync(folder, { recursive: true });
  const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
  const packed = gzipSync(text, { level: 9 });
  packed[9] = 255; // the operating system's mark in the gzip header: the same bytes on every machine
  writeFileSync(join(folder, `${name}.jsonl.gz`), packed);
  console.log(`${name}.jsonl.gz: ${records.length} records, ${Math.round(packed.length / 1024)} kB`);
}

/** Leaves out what says nothing: undefined, null, false, empty lists. */
const compact = (record) =>
  Object.fromEntries(
    Object.entries(record).filter(
      ([, value]) =>
        value !== undefined && value !== null && value !== false && !(Array.isArray(value) && !value.length),
    ),
  );

/**
 * Versions that a third-party packager of 2016 and 2017 made up (`8.1.0-rc1` for `8.x-1.0-rc1`): lock files carry them, Drupal.org
 * never released them. Coder is the exception: it really counts 8.2, 8.3.
 */
const inventedByPackager = (release) =>
  release.project !== 'coder' &&
  release.project !== 'drupal' &&
  /^8\.\d+\./.test(release.version) &&
  (release.core_compat === '8.*' || (release.date_basis === 'composer time' && /^~8/.test(release.core_compat ?? '')));

/** A fix for Drupal 7 as Drupal.org writes it: `1.24.0` is `7.x-1.24`; core has no prefix. */
const drupal7Version = (project, version) => {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version);
  return project === 'drupal' ? `${major}.${minor}` : `7.x-${major}.${minor}`;
};

const projects = read('projects');
const releases = read('releases');
const advisories = read('advisories');
const history = read('site-history');

const releasesOf = Map.groupBy
  ? Map.groupBy(releases, (release) => release.project)
  : releases.reduce((map, release) => {
      const list = map.get(release.project);
      if (list) list.push(release);
      else map.set(release.project, [release]);
      return map;
    }, new Map());

/** Branches of which some site ran the `-dev` snapshot, by the snapshot's own name. */
const snapshots = new Map();
for (const record of history) {
  for (const { name, version, to } of [...(record.components ?? []), ...(record.changes ?? [])]) {
    const dev = version ?? to;
    if (!dev || !/^(8\.x-\d+|\d+(\.\d+)?)\.x-dev$/.test(dev)) continue;
    const seen = snapshots.get(name) ?? new Map();
    if (!seen.has(dev) || record.commit_date < seen.get(dev)) seen.set(dev, record.commit_date);
    snapshots.set(name, seen);
  }
}

write(
  join(here, 'data'),
  'projects',
  projects.map((project) =>
    compact({
      name: project.name,
      title: project.title,
      type: project.type,
      coverage: project.coverage,
      unsupported_advisory: project.unsupported_advisory?.id,
      snapshots: [...(snapshots.get(project.name) ?? [])].map(([version, seen]) => ({ version, seen })),
      releases: (releasesOf.get(project.name) ?? [])
        .filter((release) => !inventedByPackager(release) && release.version !== 'master')
        .map((release) =>
          compact({
            version: release.version,
            date: release.date,
            date_basis: { 'advisory published date': 'advisory', 'CHANGELOG.txt (day)': 'day' }[release.date_basis],
            date_public: release.date_public !== release.date ? release.date_public : undefined,
            first_seen: release.date ? undefined : release.first_seen_in_lock,
            security: release.security,
            security_advisories: release.security_advisories,
            insecure_by: release.insecure_by,
            // What Drupal.org itself said in October 2024; absent: it was not asked about this release. `false` must stay.
            insecure_dorg:
              release.insecure_dorg_2024_10 === undefined ? undefined : Number(release.insecure_dorg_2024_10),
            core: release.core_compat,
            coverage: release.coverage,
            terms: release.release_type,
          }),
        ),
    }),
  ),
);

write(
  join(here, 'data'),
  'advisories',
  advisories.map((advisory) =>
    compact({
      id: advisory.id,
      project: advisory.project,
      published: advisory.published,
      precision: advisory.published_precision,
      modified: advisory.modified,
      risk: advisory.risk,
      score: advisory.risk_score && Number.parseInt(advisory.risk_score, 10),
      vector: advisory.risk_vector?.replaceAll(',', ''),
      type: advisory.type,
      cve: advisory.cve,
      core: advisory.core,
      // For an advisory on Drupal 7 alone the source repeats the Drupal 7 range here; it says nothing about later cores.
      affected: advisory.core === '7' ? undefined : advisory.affected?.trim(),
      affected_d7: advisory.affected_d7,
      fixed: [
        ...(advisory.core === '7' ? [] : advisory.fixed),
        ...(advisory.fixed_d7 ?? []).map((version) => drupal7Version(advisory.project, version)),
      ],
      unsupported: advisory.unsupported,
      kev: advisory.kev,
      title: advisory.title,
      title_derived: advisory.title_derived,
      url: advisory.url,
    }),
  ),
);

const demo = join(here, '..', 'demo', 'data');
write(
  demo,
  'site-history',
  history.map((record) => ({
    ...record,
    changes: record.changes?.map(({ name, to }) => ({ name, to })),
  })),
);
write(
  demo,
  'sites',
  read('sites').map(({ site, kind, commit_date, core, php }) => ({ site, kind, commit_date, core, php })),
);
write(demo, 'patch-times', read('patch-times'));
