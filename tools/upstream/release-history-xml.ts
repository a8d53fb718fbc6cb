import { createHash } from 'node:crypto';
import type { ShownProject, ShownRelease } from './catalogue-at.js';

/**
 * Writes a project as updates.drupal.org does in 2026: the same elements, in the same order. What no record tells (creator,
 * sizes and checksums of the archives) is filled with values that nobody can mistake for real ones.
 */
export function releaseHistoryXml({ record, status, supportedBranches, releases }: ShownProject): string {
  const core = record.type === 'project_core';
  const lines = [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<project xmlns:dc="http://purl.org/dc/elements/1.1/">',
    element('title', record.title),
    element('short_name', record.name),
    element('dc:creator', 'Drupal.org'),
    element('type', record.type),
    element('supported_branches', supportedBranches.join(',')),
    element('composer_namespace', core ? 'drupal/core' : `drupal/${record.name}`),
    element('project_status', status),
    element('link', `https://www.drupal.org/project/${record.name}`),
    '  <terms>',
    `   ${term('Projects', PROJECT_TERMS[record.type] ?? 'Modules')}`,
    '  </terms>',
    '<releases>',
    ...releases.flatMap((release) => releaseXml(record.name, core, record.coverage, release)),
    ...(core ? releaseXml(record.name, core, record.coverage, devMain(releases)) : []),
    '</releases>',
    '</project>',
    '',
  ];
  return lines.join('\n');
}

/** What Drupal.org answers, with status 200, for a project that it does not know. */
export function unknownProjectXml(project: string): string {
  return `<?xml version="1.0" encoding="utf-8"?>\n<error>No release history was found for the requested project (${escapeXml(project)}).</error>\n`;
}

const PROJECT_TERMS: Readonly<Record<string, string>> = {
  project_core: 'Drupal core',
  project_theme: 'Themes',
  project_distribution: 'Distributions',
  project_general: 'General projects',
};

const element = (name: string, text: string) => `<${name}>${escapeXml(text)}</${name}>`;
const term = (name: string, value: string) =>
  `<term><name>${escapeXml(name)}</name><value>${escapeXml(value)}</value></term>`;

/** The last entry of core's document: not a version, and no reader may stumble over it. */
function devMain(releases: readonly ShownRelease[]): ShownRelease {
  const date = Math.max(...releases.map((release) => release.date ?? 0));
  const name = { version: 'dev-main', branch: '', drupal7: false, major: 0, minor: 0, patch: 0, extra: 'main' };
  return { name, record: { version: 'dev-main' }, date, security: false, insecure: false };
}

function releaseXml(
  project: string,
  core: boolean,
  coverage: ShownProject['record']['coverage'],
  release: ShownRelease,
): string[] {
  const { version } = release.record;
  const archive = `https://ftp.drupal.org/files/projects/${project}-${version}`;
  const types = [
    ...(release.record.terms ?? []).filter((type) => type !== 'Security update' && type !== 'Insecure'),
    ...(release.security ? ['Security update'] : []),
    ...(release.insecure ? ['Insecure'] : []),
  ];
  const compatibility = core ? null : coreCompatibility(release);
  return [
    ' <release>',
    `  ${element('name', `${project} ${version}`)}`,
    `  ${element('version', version)}`,
    `  ${element('tag', tag(version))}`,
    `  ${element('status', release.record.status ?? 'published')}`,
    `  ${element('release_link', `https://www.drupal.org/project/${project}/releases/${version}`)}`,
    `  ${element('download_link', `${archive}.tar.gz`)}`,
    ...(release.date === null ? [] : [`  ${element('date', String(release.date))}`]),
    '  <files>',
    ...['tar.gz', 'zip'].map((type) => fileXml(`${archive}.${type}`, type, release.date)),
    '  </files>',
    ...(types.length === 0
      ? []
      : ['  <terms>', ...types.map((type) => `   ${term('Release type', type)}`), '  </terms>']),
    `  ${securityXml(release, coverage)}`,
    ...(compatibility === null ? [] : [`  ${element('core_compatibility', compatibility)}`]),
    ' </release>',
  ];
}

const tag = (version: string) =>
  version === 'dev-main' ? 'main' : version.endsWith('x-dev') ? version.slice(0, -'-dev'.length) : version;

function fileXml(url: string, type: string, date: number | null): string {
  const checksum = createHash('md5').update(url).digest('hex');
  return [
    '   <file>',
    `    ${element('url', url)}`,
    `    ${element('archive_type', type)}`,
    `    ${element('md5', checksum)}`,
    `    ${element('size', '0')}`,
    `    ${element('filedate', String(date ?? 0))}`,
    '   </file>',
  ].join('\n');
}

function securityXml({ name, record }: ShownRelease, coverage: ShownProject['record']['coverage']): string {
  const stage = /^[a-z]+/.exec(name.extra ?? '')?.[0];
  const stages: Readonly<Record<string, string>> = { rc: 'RC', beta: 'Beta', alpha: 'Alpha', dev: 'Dev', main: 'Dev' };
  if (stage !== undefined) {
    return `<security>${stages[stage] ?? 'Pre-'} releases are not covered by Drupal security advisories.</security>`;
  }
  const covered = record.coverage ? record.coverage === 'covered' : (coverage ?? 'covered') === 'covered';
  return covered
    ? `<security covered="1">Covered by Drupal's security advisory policy</security>`
    : '<security>Project has not opted into security advisory coverage!</security>';
}

/** Lock files say `~8.0` and `*` where the release was made for "8.x" as a whole, which is what the feed says. */
function coreCompatibility({ name, record }: ShownRelease): string | null {
  if (record.core === undefined) return null;
  if (record.core === '~8.0' || record.core === '8.*') return '8.x';
  if (record.core === '*') return name.version.startsWith('8.x-') ? '8.x' : null;
  return record.core;
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char]!);
}
