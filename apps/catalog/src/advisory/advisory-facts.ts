import type { AdvisoryChanged, Risk } from '#libs/contracts';
import type { FeedItem } from './feed-reader.js';
import { labelledFields, linkTargets, visibleText } from './labelled-fields.js';

/** What an advisory says, without what the catalog adds (revision, state, time of knowledge). */
export type AdvisoryFacts = Omit<AdvisoryChanged, 'revision' | 'state' | 'known_at'>;

/** An entry that calls itself an advisory but cannot be understood. `advisory` is its id, where that much could be read. */
export class UnreadableAdvisoryError extends Error {
  constructor(
    readonly advisory: string | null,
    message: string,
  ) {
    super(message);
    this.name = UnreadableAdvisoryError.name;
  }
}

const RISKS: Readonly<Record<string, Risk>> = {
  'highly critical': 'highly_critical',
  critical: 'critical',
  'moderately critical': 'moderately_critical',
  'less critical': 'less_critical',
  'not critical': 'not_critical',
};

/** `SA-CONTRIB-2026-191` in a title or an address; the oldest addresses of core's leave out `CORE`. */
const ID = /\bSA-(CORE|CONTRIB)-(\d{4})-(\d{1,4})\b/i;
const CORE_ADDRESS = /\/SA-(\d{4})-(\d{1,4})$/i;

/**
 * Reads one entry of the feed.
 * @returns null for an entry that is no advisory on a project (an announcement)
 * @throws UnreadableAdvisoryError
 */
export function readAdvisory(item: FeedItem): AdvisoryFacts | null {
  const advisory = advisoryId(item);
  if (advisory === null) return null;
  const fields = labelledFields(item.description);
  const text = (name: string): string | null => {
    const html = fields.get(name)?.items[0];
    return html === undefined ? null : visibleText(html) || null;
  };
  const fail = (message: string) => new UnreadableAdvisoryError(advisory, message);

  const module = text('project-machine-name');
  if (module === null || !/^[a-z0-9_-]{1,255}$/i.test(module)) throw fail('it names no project');
  const published = new Date(item.published);
  if (Number.isNaN(published.getTime())) throw fail('it has no date of publication');

  const criticality = fields.get('field-sa-criticality')?.items[0] ?? '';
  const risk = readRisk(criticality);
  if (visibleText(criticality) !== '' && risk === null) throw fail('its risk is no known word');
  const vulnerability = text('field-sa-type');
  const solution = fields.get('field-sa-solution')?.items.join(' ') ?? '';
  const fixed = fixedVersions(module, solution);
  const stated = text('field-affected-versions');
  const givenUp =
    vulnerability?.toLowerCase() === 'unsupported' ||
    /\bmarking this (project|module|theme) unsupported\b/i.test(text('field-sa-description') ?? '');

  return {
    advisory,
    module,
    title: item.title,
    url: item.link,
    published_at: published.toISOString(),
    risk,
    risk_score: readScore(criticality),
    risk_vector: readVector(criticality),
    vulnerability,
    cves: readCves(fields.get('field-sa-cve')?.items ?? []),
    ...ranges(module, stated, fixed),
    fixed,
    unsupported: fixed.length === 0 && (givenUp || stated === '*'),
  };
}

/** The id of an entry; null: it is no advisory. */
export function advisoryId({ title, link }: Pick<FeedItem, 'title' | 'link'>): string | null {
  const match = ID.exec(link) ?? ID.exec(title);
  if (match) return `SA-${match[1]!.toUpperCase()}-${match[2]}-${match[3]}`;
  const core = CORE_ADDRESS.exec(link);
  return core ? `SA-CORE-${core[1]}-${core[2]}` : null;
}

/**
 * Splits what the advisory states into Drupal 8 and newer, and Drupal 7. Drupal.org has one field for both; what stands there is a
 * Composer constraint on the version without its `8.x-` or `7.x-`, so `<1.5` alone does not say which. What it really does:
 * - on both: the field holds the range for Drupal 8 and newer; Drupal 7 appears in the solution only (`…/releases/7.x-1.5`);
 * - on Drupal 7 alone: the field is empty, rarely the range of Drupal 7;
 * - core: one constraint over all majors (`>=7.0 <7.58 || >=8.0.0 <8.3.9`), since core's versions have no prefix.
 */
function ranges(
  module: string,
  stated: string | null,
  fixed: readonly string[],
): Pick<AdvisoryFacts, 'affected' | 'affected_d7'> {
  if (module === 'drupal') return { affected: stated && withoutDrupal7ByAccident(stated), affected_d7: null };
  const drupal7 = fixed.filter((version) => version.startsWith('7.x-')).map((version) => version.slice('7.x-'.length));
  const drupal7Alone = drupal7.length > 0 && drupal7.length === fixed.length;
  const beforeFix = drupal7.map(rangeBeforeFix).join(' || ') || null;
  if (drupal7Alone) return { affected: null, affected_d7: stated && stated !== '*' ? stated : beforeFix };
  // "All versions" beside a fix contradicts itself; what is affected is then not known.
  const contradiction = stated === '*' && fixed.length > 0;
  return { affected: contradiction ? null : stated, affected_d7: beforeFix };
}

/** Of a fix `1.24` for Drupal 7: all of that branch before it. */
function rangeBeforeFix(fix: string): string {
  const [, major = '0', minor = '0', extra = ''] = /^(\d+)\.(\d+)(-.*)?$/.exec(fix) ?? [];
  return `>=${major}.0.0 <${major}.${minor}.0${extra}`;
}

/**
 * Core's `<10.5.12 || …` without a lower bound means "all of Drupal 8 and newer before": an advisory that concerns Drupal 7 says so by
 * naming a version of it.
 */
function withoutDrupal7ByAccident(stated: string): string {
  return stated
    .split('||')
    .map((part) => part.trim())
    .map((part) => (/^<=?\s*(\d+)/.test(part) && Number(/\d+/.exec(part)![0]) >= 8 ? `>=8.0.0 ${part}` : part))
    .join(' || ');
}

/** Versions that the solution links to, in its order; links to other projects are not fixes of this one. */
function fixedVersions(module: string, solution: string): string[] {
  const versions = linkTargets(solution).flatMap((target) => {
    const match = /^(?:https?:\/\/(?:www\.)?drupal\.org)?\/project\/([^/?#]+)\/releases\/([^/?#]+)\/?$/i.exec(target);
    return match && match[1]!.toLowerCase() === module.toLowerCase() ? [match[2]!] : [];
  });
  return [...new Set(versions)];
}

function readCves(items: readonly string[]): string[] {
  const ids = items.flatMap(
    (html) =>
      visibleText(html)
        .toUpperCase()
        .match(/\bCVE-\d{4}-\d{4,}\b/g) ?? [],
  );
  return [...new Set(ids)];
}

function readRisk(criticality: string): Risk | null {
  const word = /<strong>([^<]*)<\/strong>/i.exec(criticality)?.[1] ?? visibleText(criticality).replace(/\s*\d.*$/, '');
  return RISKS[visibleText(word).toLowerCase()] ?? null;
}

function readScore(criticality: string): number | null {
  // Drupal.org writes U+2215 between the figures.
  const score = /\b(\d{1,2})\s*[∕/⁄]\s*25\b/.exec(visibleText(criticality))?.[1];
  return score !== undefined && Number(score) <= 25 ? Number(score) : null;
}

function readVector(criticality: string): string | null {
  return /\bAC:[A-Za-z]+(?:\/[A-Z]{1,2}:[A-Za-z]+){2,}/.exec(visibleText(criticality).replaceAll(',', ''))?.[0] ?? null;
}
