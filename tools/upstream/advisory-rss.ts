import { descriptionHtml, escapeHtml, shownTitle, solutionHtml } from './advisory-text.js';
import type { CatalogueAt } from './catalogue-at.js';
import type { AdvisoryRecord } from './records.js';
import { escapeXml } from './release-history-xml.js';

/** How many entries the feed holds. It has no second page: what `?page=` says is ignored, as at Drupal.org. */
export const FEED_SIZE = 10;

/** The real number was not recorded. */
const ANNOUNCEMENT_NID = 2_999_999;

/** An announcement that stands in the same feed and is no advisory. */
const ANNOUNCEMENTS = [
  {
    title: 'Upcoming critical contributed project security release on September 23, 2026 - PSA-2026-09-21',
    url: 'https://www.drupal.org/psa-2026-09-21',
    published: '2026-09-21T09:56:09Z',
  },
];

/**
 * The feed of security advisories as drupal.org writes it: the newest first, each description an HTML fragment of labelled
 * fields.
 * @param from how many of the newest to leave out: for whoever wants to see older ones in this form
 */
export function advisoryRss(catalogue: CatalogueAt, now: number, from = 0): string {
  const shown = [
    ...catalogue.advisoriesAt(now).map((advisory) => ({
      published: advisory.published,
      item: () => advisoryItem(advisory, catalogue),
    })),
    ...ANNOUNCEMENTS.filter(({ published }) => Date.parse(published) <= now).map((announcement) => ({
      published: announcement.published,
      item: () => announcementItem(announcement),
    })),
  ].sort((a, b) => b.published.localeCompare(a.published));
  const items = shown.slice(from, from + FEED_SIZE);
  return `<?xml version="1.0" encoding="utf-8" ?><rss version="2.0" xml:base="https://www.drupal.org/security/core/advisories/feed" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom">
  <channel>
    <title>Security advisories</title>
    <link>https://www.drupal.org/security/core/advisories/feed</link>
    <description></description>
    <language>en</language>
     <atom:link href="https://www.drupal.org/security/all/rss.xml/advisories/feed" rel="self" type="application/rss+xml" />
${items.map(({ item }) => item()).join('')}  </channel>
</rss>
`;
}

function advisoryItem(advisory: AdvisoryRecord, catalogue: CatalogueAt): string {
  const title = catalogue.project(advisory.project)?.title ?? advisory.project;
  const inline = 'field-label-inline clearfix';
  const fields = [
    field('field-project', 'entityreference', inline, 'Project', [
      `<a href="/project/${advisory.project}">${escapeHtml(title)}</a>`,
    ]),
    field('project-machine-name', 'text', inline, 'Project machine name', [`<code>${advisory.project}</code>`]),
    field('drupalorg-sa-date', 'text', inline, 'Date', [day(advisory.published)]),
    advisory.risk ? field('field-sa-criticality', 'text', inline, 'Security risk', [risk(advisory)]) : '',
    advisory.type ? field('field-sa-type', 'text', inline, 'Vulnerability', [escapeHtml(advisory.type)]) : '',
    // For Drupal 7 alone, Drupal.org leaves the range empty: only the solution names versions.
    advisory.affected
      ? field('field-affected-versions', 'text', inline, 'Affected versions', [escapeHtml(advisory.affected)])
      : '',
    advisory.cve?.length ? field('field-sa-cve', 'text', inline, 'CVE IDs', advisory.cve.map(escapeHtml)) : '',
    field('field-sa-description', 'text-long', 'field-label-above', 'Description', [descriptionHtml(advisory)]),
    field('field-sa-solution', 'text-long', 'field-label-above', 'Solution', [solutionHtml(advisory, title)]),
  ];
  return item(
    shownTitle(advisory, title),
    advisory.url,
    fields.join(''),
    advisory.published,
    catalogue.nidOfAdvisory(advisory.id),
  );
}

function announcementItem({ title, url, published }: (typeof ANNOUNCEMENTS)[number]): string {
  const fields = [
    field('drupalorg-sa-date', 'text', 'field-label-inline clearfix', 'Date', [day(published)]),
    field('field-sa-description', 'text-long', 'field-label-above', 'Description', [
      '<p>A security release of a widely used module is announced in advance.</p>',
    ]),
  ];
  return item(title, url, fields.join(''), published, ANNOUNCEMENT_NID);
}

function item(title: string, link: string, description: string, published: string, node: number): string {
  return `      <item>
    <title>${escapeXml(title)}</title>
    <link>${escapeXml(link)}</link>
    <description>${escapeXml(description)}</description>
     <pubDate>${rfc822(published)}</pubDate>
 <dc:creator>Drupal Security Team</dc:creator>
 <guid isPermaLink="false">${node} at https://www.drupal.org</guid>
  </item>
`;
}

function field(name: string, type: string, layout: string, label: string, values: readonly string[]): string {
  const items = values.map((value, index) => `<div class="field-item ${index % 2 ? 'odd' : 'even'}">${value}</div>`);
  return `<div class="field field-name-${name} field-type-${type} ${layout}"><div class="field-label">${label}:&nbsp;</div><div class="field-items">${items.join('')}</div></div>`;
}

function risk({ risk: label = '', score, vector }: AdvisoryRecord): string {
  const css = label.toLowerCase().replaceAll(' ', '-');
  const title = vector ? ` title="${vector.split('/').join('\n')}"` : '';
  const figures = [score === undefined ? '' : ` ${score} ∕ 25`, vector ? ` ${vector}` : ''].join('');
  return `<a href="/security-team/risk-levels" class="${css}"${title}><strong>${label}</strong>${figures}</a>`;
}

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

function day(instant: string): string {
  const date = new Date(instant);
  return `${date.getUTCFullYear()}-${MONTHS[date.getUTCMonth()]}-${String(date.getUTCDate()).padStart(2, '0')}`;
}

const rfc822 = (instant: string) => new Date(instant).toUTCString().replace('GMT', '+0000');
