#!/usr/bin/env node
// Measures libs/drupal on one core: verdicts a second with realistic histories, the time to read a document of 1,000
// releases, and how long reading a 16 MB document holds the event loop. Exits with 1 when a figure misses its target.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { build } from '../build.mjs';

await build();
const {
  advisoryVerdict,
  prepareHistory,
  projectStatus,
  readReleaseHistory,
  readReleaseHistoryInSlices,
  UnreadableDocumentError,
} = await import('../../dist/libs/drupal/src/index.js');

const TARGETS = { verdictsPerSecond: 10_000, parseMs: 50, eventLoopMs: 100 };
const MEASURE_MS = 1_500;

/** A project's document in Drupal.org's form: `releases` tagged releases over three majors, newest first, then snapshots. */
function documentOf(project, releases) {
  const rows = [];
  const perMajor = Math.ceil(releases / 3);
  for (const major of [3, 2, 1]) {
    for (let index = perMajor - 1; index >= 0; index -= 1) {
      const version = `${major}.${Math.floor(index / 10)}.${index % 10}`;
      const types = ['Bug fixes'];
      if (index % 7 === 0) types.push('Security update');
      if (index < perMajor - 8) types.push('Insecure');
      rows.push(releaseOf(project, version, 1_500_000_000 + major * 10_000_000 + index * 40_000, types));
    }
  }
  for (const major of [3, 2, 1]) rows.push(releaseOf(project, `${major}.x-dev`, 1_700_000_000, []));
  return `<?xml version="1.0" encoding="utf-8"?>
<project xmlns:dc="http://purl.org/dc/elements/1.1/"><title>${project}</title><short_name>${project}</short_name>
<dc:creator>someone</dc:creator><type>project_module</type><supported_branches>2.,3.</supported_branches>
<project_status>published</project_status><link>https://www.drupal.org/project/${project}</link>
<releases>${rows.join('\n')}</releases></project>`;
}

function releaseOf(project, version, date, types) {
  const terms = types.map((type) => `<term><name>Release type</name><value>${type}</value></term>`).join('');
  return `<release><name>${project} ${version}</name><version>${version}</version><tag>${version}</tag><status>published</status>
<release_link>https://www.drupal.org/project/${project}/releases/${version}</release_link>
<download_link>https://ftp.drupal.org/files/projects/${project}-${version}.tar.gz</download_link><date>${date}</date>
<files><file><url>https://ftp.drupal.org/files/projects/${project}-${version}.tar.gz</url><archive_type>tar.gz</archive_type>
<md5>d41d8cd98f00b204e9800998ecf8427e</md5><size>123456</size><filedate>${date}</filedate></file></files>
${terms ? `<terms>${terms}</terms>` : ''}<security covered="1">Covered by Drupal's security advisory policy</security>
<core_compatibility>^10.3 || ^11</core_compatibility></release>`;
}

/** Processor time of this process in milliseconds: what else the machine does must not change the figures. */
function processorMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Calls a function for a while and returns how often it could be called in a second of processor time. */
function ratePerSecond(call) {
  for (let index = 0; index < 2_000; index += 1) call(index);
  const begun = processorMs();
  let calls = 0;
  while (processorMs() - begun < MEASURE_MS) {
    for (let index = 0; index < 200; index += 1) call(calls + index);
    calls += 200;
  }
  return Math.round((calls * 1_000) / (processorMs() - begun));
}

function medianMs(times, run) {
  const measured = Array.from({ length: times }, () => {
    const begun = processorMs();
    run();
    return processorMs() - begun;
  });
  return measured.sort((a, b) => a - b)[Math.floor(times / 2)];
}

const failures = [];
function report(what, value, unit, ok) {
  console.log(`${what}: ${value} ${unit}${ok ? '' : '  MISSED'}`);
  if (!ok) failures.push(what);
}

// Most modules have some twenty releases, the large ones a hundred, core several hundred.
const histories = [12, 20, 30, 60, 120, 400].map((count, index) => {
  const document = readReleaseHistory(documentOf(`module_${index}`, count));
  const versions = [...document.releases.map((release) => release.version), '9.9.9', '2.x-dev'];
  return { prepared: prepareHistory(document), document, versions };
});
function verdictOf(key, index) {
  const history = histories[index % histories.length];
  const version = history.versions[(index * 31) % history.versions.length];
  const known = key === 'copy' ? { ...history.document } : history[key];
  return projectStatus({ project: 'module', type: 'module', version, datestamp: 1_600_000_000 }, known, {
    now: 1_700_000_000,
  });
}
const prepared = ratePerSecond((index) => verdictOf('prepared', index));
report('verdicts with prepared histories', prepared, 'a second', prepared >= TARGETS.verdictsPerSecond);
const onDocuments = ratePerSecond((index) => verdictOf('document', index));
report('verdicts on documents as they were read', onDocuments, 'a second', onDocuments >= TARGETS.verdictsPerSecond);
const unprepared = ratePerSecond((index) => verdictOf('copy', index));
report('verdicts each on a document never seen before', unprepared, 'a second', true);
const range = {
  affected: '>= 8.0.0 <8.9.20 || >= 9.1.0 <9.1.14 || >=9.2.0 <9.2.6',
  affectedD7: null,
  unsupported: false,
};
report(
  'advisory verdicts',
  ratePerSecond((index) => advisoryVerdict(range, `9.1.${index % 30}`)),
  'a second',
  true,
);

const thousand = Buffer.from(documentOf('large', 1_000));
const parseMs = medianMs(15, () => prepareHistory(readReleaseHistory(thousand)));
report(
  `reading a document of 1,000 releases (${(thousand.length / 1e6).toFixed(1)} MB)`,
  parseMs.toFixed(1),
  'ms',
  parseMs < TARGETS.parseMs,
);

const large = Buffer.from(documentOf('huge', 16_300));
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
const begun = performance.now();
try {
  await readReleaseHistoryInSlices(large);
} catch (error) {
  if (!(error instanceof UnreadableDocumentError)) throw error;
  report(`the large document was refused: ${error.code}`, large.length, 'bytes', false);
}
delay.disable();
const longest = delay.max / 1e6;
report(
  `longest hold of the event loop while reading ${(large.length / 1e6).toFixed(1)} MB in ${Math.round(performance.now() - begun)} ms`,
  longest.toFixed(1),
  'ms',
  longest < TARGETS.eventLoopMs,
);
process.exitCode = failures.length === 0 ? 0 : 1;
