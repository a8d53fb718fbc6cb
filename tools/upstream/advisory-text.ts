import type { AdvisoryRecord } from './records.js';
import { escapeXml } from './release-history-xml.js';

/** Texts of an advisory that stand in the feed and in the API alike. Bodies are short: the recorded facts have none. */

export const escapeHtml = (text: string) => escapeXml(text).replaceAll("'", '&#039;');

/**
 * The title as Drupal.org writes them, `Project - Risk - Vulnerability - SA-…`; where the recorded one leaves the risk out, composed of what is
 * known.
 */
export function shownTitle({ title, title_derived, risk, type, id }: AdvisoryRecord, project: string): string {
  if (risk === undefined || title.toLowerCase().includes(risk.toLowerCase())) return title;
  return [project, risk, title_derived ? type : title, id].filter(Boolean).join(' - ');
}

export function descriptionHtml({ unsupported }: AdvisoryRecord): string {
  return unsupported
    ? '<p>The security team is marking this project unsupported. There is a known security issue with the project that has not been fixed by the maintainer.</p>'
    : '<p>The project has a security issue.</p>';
}

export function solutionHtml({ project, unsupported, fixed = [] }: AdvisoryRecord, title: string): string {
  if (unsupported) return '<p>If you use this project, you should uninstall it.</p>';
  const links = fixed.map((version) => {
    const name = escapeHtml(`${title} ${version}`);
    const used = version.startsWith('7.')
      ? `the ${title} module for Drupal 7.x`
      : `${title} ${version.replace(/\.\d+(-.*)?$/, '.x')}`;
    return `<li>If you use ${escapeHtml(used)}, upgrade to <a href="https://www.drupal.org/project/${project}/releases/${version}" rel="nofollow">${name}</a></li>`;
  });
  return `<p>Install the latest version:</p>\n<ul>\n${links.join('\n')}\n</ul>`;
}
