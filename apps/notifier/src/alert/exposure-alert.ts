import type { ExposureFact } from './live-exposures.js';

/** A mail, ready to be sent. */
export interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Worst first. */
const RISKS = ['highly_critical', 'critical', 'moderately_critical', 'less_critical', 'not_critical'] as const;
const LISTED_SITES = 10;
const LISTED_ADVISORIES = 20;

/** What the exposures of one advisory (or of one module without one) have in common. */
interface Item {
  readonly advisory: string | null;
  readonly title: string | null;
  readonly url: string | null;
  readonly module: string;
  readonly risk: string | null;
  readonly fixedIn: readonly string[];
  readonly sites: readonly { readonly name: string; readonly version: string | null }[];
}

/**
 * The alert about new exposures: one section an advisory, the worst first, in each the sites that run it. Text and HTML say the same.
 * @param exposures at least one; all of them the recipient's to see.
 */
export function exposureAlert(recipient: { readonly name: string }, exposures: readonly ExposureFact[]): Mail {
  const items = itemsOf(exposures);
  const sites = new Set(exposures.map(({ site_id }) => site_id)).size;
  const worst = items[0]!;
  const subject = oneLine(`[${riskName(worst.risk)}] ${subjectOf(items)} – ${count(sites, 'site')} exposed`);
  const listed = items.slice(0, LISTED_ADVISORIES);
  const more = items.length - listed.length;
  const greeting = recipient.name ? `Hello ${recipient.name},` : 'Hello,';
  const verdict = `${count(sites, 'site')} of yours ${sites === 1 ? 'runs' : 'run'} a version that a security release makes unsafe.`;
  const text = [
    oneLine(greeting),
    '',
    verdict,
    ...listed.flatMap((item) => ['', ...textOf(item)]),
    ...(more > 0 ? ['', `… and ${count(more, 'more advisory', 'more advisories')}.`] : []),
    '',
    'Patchwatch',
    '',
  ].join('\n');
  const html = [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"></head>',
    '<body style="font-family: sans-serif; line-height: 1.5; max-width: 40em">',
    `<p>${escape(greeting)}</p><p><strong>${escape(verdict)}</strong></p>`,
    ...listed.map(htmlOf),
    ...(more > 0 ? [`<p>… and ${count(more, 'more advisory', 'more advisories')}.</p>`] : []),
    '<p>Patchwatch</p></body></html>',
  ].join('\n');
  return {
    subject,
    text,
    html,
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-Patchwatch-Kind': 'exposure-alert',
      'X-Patchwatch-Severity': worst.risk ?? 'unknown',
    },
  };
}

function itemsOf(exposures: readonly ExposureFact[]): Item[] {
  const groups = new Map<string, ExposureFact[]>();
  for (const exposure of exposures) {
    const key = `${exposure.advisory ?? ''} ${exposure.module}`;
    const group = groups.get(key);
    if (group) group.push(exposure);
    else groups.set(key, [exposure]);
  }
  return [...groups.values()]
    .map((group): Item => {
      const first = group[0]!;
      return {
        advisory: first.advisory,
        title: first.advisory_title,
        url: first.advisory_url,
        module: first.module,
        risk: first.risk,
        fixedIn: first.fixed_in,
        sites: group
          .map(({ site_name, installed_version }) => ({ name: site_name, version: installed_version }))
          .sort((a, b) => a.name.localeCompare(b.name, 'en')),
      };
    })
    .sort(
      (a, b) =>
        rank(a.risk) - rank(b.risk) || b.sites.length - a.sites.length || a.module.localeCompare(b.module, 'en'),
    );
}

function subjectOf(items: readonly Item[]): string {
  const first = items[0]!;
  const name = first.advisory ?? `insecure release of ${first.module}`;
  return items.length === 1 ? name : `${name} and ${items.length - 1} more`;
}

function headlineOf(item: Item): string {
  return `${riskName(item.risk)}: ${item.advisory ?? 'a release marked insecure'} (${item.module})${item.title ? ` – ${item.title}` : ''}`;
}

function remedyOf(item: Item): string {
  return item.fixedIn.length > 0
    ? `Update ${item.module} to ${item.fixedIn.join(' or ')}.`
    : 'No release fixes it yet.';
}

function siteLines(item: Item): string[] {
  const lines = item.sites
    .slice(0, LISTED_SITES)
    .map(({ name, version }) => `${name}${version ? ` (${version})` : ''}`);
  const more = item.sites.length - lines.length;
  return more > 0 ? [...lines, `and ${count(more, 'more site')}`] : lines;
}

function textOf(item: Item): string[] {
  return [
    oneLine(headlineOf(item)),
    ...siteLines(item).map((line) => `  - ${oneLine(line)}`),
    oneLine(remedyOf(item)),
    ...(link(item) === null ? [] : [link(item)!]),
  ];
}

function htmlOf(item: Item): string {
  const url = link(item);
  return [
    `<h2 style="font-size: 1.1em">${escape(headlineOf(item))}</h2>`,
    `<ul>${siteLines(item)
      .map((line) => `<li>${escape(line)}</li>`)
      .join('')}</ul>`,
    `<p>${escape(remedyOf(item))}${url === null ? '' : ` <a href="${escape(url)}">Read the advisory</a>.`}</p>`,
  ].join('\n');
}

/** Only what can be followed safely. */
function link({ url }: Item): string | null {
  return url !== null && /^https?:\/\/[^\s<>"]+$/.test(url) ? url : null;
}

function rank(risk: string | null): number {
  const place = RISKS.indexOf(risk as (typeof RISKS)[number]);
  return place < 0 ? RISKS.length : place;
}

function riskName(risk: string | null): string {
  if (risk === null) return 'Security';
  const words = risk.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

/** Names come from outside: none may begin a line of its own. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text: string): string => oneLine(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
