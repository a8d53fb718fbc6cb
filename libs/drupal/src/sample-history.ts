import type { HistoryRelease, ReleaseHistoryDocument } from './release-history.js';

/** What a test says about a release; the rest is as on Drupal.org. */
export interface SampleRelease extends Partial<HistoryRelease> {
  types?: string[];
}

/** A release-history document for tests: every release is published, dated and downloadable unless told otherwise. */
export function sampleHistory(
  branches: string | undefined,
  releases: (string | [version: string, fields: SampleRelease])[],
  fields: Partial<ReleaseHistoryDocument> = {},
): ReleaseHistoryDocument {
  const document: ReleaseHistoryDocument = {
    title: 'Sample',
    short_name: 'sample',
    link: 'https://www.drupal.org/project/sample',
    type: 'project_module',
    project_status: 'published',
    ...fields,
    releases: releases.map((entry) => (typeof entry === 'string' ? sampleRelease(entry) : sampleRelease(...entry))),
  };
  if (branches !== undefined) document.supported_branches = branches;
  return document;
}

function sampleRelease(version: string, { types, ...fields }: SampleRelease = {}): HistoryRelease {
  const release: HistoryRelease = {
    version,
    status: 'published',
    release_link: `https://www.drupal.org/project/sample/releases/${version}`,
    download_link: `https://ftp.drupal.org/files/projects/sample-${version}.tar.gz`,
    date: '1600000000',
    ...fields,
  };
  if (types) release.terms = { 'Release type': types };
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) delete (release as unknown as Record<string, unknown>)[name];
  }
  return release;
}

/** The same document as Drupal.org would serve it. */
export function sampleXml(history: ReleaseHistoryDocument): string {
  const { releases, ...top } = history;
  return `<?xml version="1.0" encoding="utf-8"?>
<project xmlns:dc="http://purl.org/dc/elements/1.1/">${elements(top)}<dc:creator>someone</dc:creator>
<releases>${releases.map(releaseXml).join('\n')}</releases></project>`;
}

function releaseXml({ terms, security, ...fields }: HistoryRelease): string {
  const termXml = Object.entries(terms ?? {}).flatMap(([name, values]) =>
    values.map((value) => `<term><name>${escaped(name)}</name><value>${escaped(value)}</value></term>`),
  );
  const securityXml = security
    ? `<security${security.covered ? ' covered="1"' : ''}>${escaped(security.text)}</security>`
    : '';
  return `<release>${elements(fields)}${terms ? `<terms>${termXml.join('')}</terms>` : ''}${securityXml}</release>`;
}

function elements(fields: object): string {
  return Object.entries(fields as Record<string, string>)
    .map(([name, text]) => `<${name}>${escaped(text)}</${name}>`)
    .join('');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\r', '&#13;');
}
