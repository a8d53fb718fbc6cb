import type { AdvisoryChanged, Risk } from '#libs/contracts';
import type { FeedItem } from './feed-reader.js';
import { affectedRanges, fixedVersions } from './advisory-ranges.js';
import { labelledFields, visibleText } from './labelled-fields.js';
import { riskOfTitle, riskOfWord, riskVector, scoreOfVector } from './risk.js';

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

const LATEST_MS = Date.UTC(10_000, 0);

/** Machine name of a project. */
export const PROJECT_NAME = /^[a-z0-9_-]{1,255}$/i;
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
  if (module === null || !PROJECT_NAME.test(module)) throw fail('it names no project');
  const published = new Date(item.published);
  // The year 10000 and later are beyond what is stored; one such entry must not keep the others out.
  if (!(published.getTime() < LATEST_MS)) throw fail('it has no date of publication');

  const criticality = fields.get('field-sa-criticality')?.items[0] ?? '';
  const risk = readRisk(criticality);
  if (visibleText(criticality) !== '' && risk === null) throw fail('its risk is no known word');
  const vector = riskVector(visibleText(criticality));
  return assembleFacts({
    advisory,
    module,
    title: item.title,
    url: item.link,
    published,
    // Every advisory states its risk; where the field is empty, its title does.
    risk: risk ?? riskOfTitle(item.title),
    riskScore: readScore(visibleText(criticality)) ?? (vector === null ? null : scoreOfVector(vector)),
    riskVector: vector,
    vulnerability: text('field-sa-type'),
    cves: fields.get('field-sa-cve')?.items.map(visibleText) ?? [],
    affectedVersions: text('field-affected-versions'),
    solution: fields.get('field-sa-solution')?.items.join(' ') ?? '',
    description: fields.get('field-sa-description')?.items[0] ?? '',
  });
}

/** What an advisory says, as either source writes it. */
export interface StatedAdvisory {
  readonly advisory: string;
  readonly module: string;
  readonly title: string;
  readonly url: string;
  readonly published: Date;
  readonly risk: Risk | null;
  readonly riskScore: number | null;
  readonly riskVector: string | null;
  readonly vulnerability: string | null;
  /** Texts with CVE ids in them. */
  readonly cves: readonly string[];
  /** The field "affected versions", as it stands there. */
  readonly affectedVersions: string | null;
  /** HTML. */
  readonly solution: string;
  readonly description: string;
}

/** Both sources say the same in the same words; here is what the words mean. */
export function assembleFacts(stated: StatedAdvisory): AdvisoryFacts {
  const { module, vulnerability } = stated;
  const affectedVersions = stated.affectedVersions?.trim() || null;
  const fixed = fixedVersions(module, stated.solution);
  const givenUp =
    vulnerability?.toLowerCase() === 'unsupported' ||
    /\bmarking this (project|module|theme) unsupported\b/i.test(visibleText(stated.description));
  return {
    advisory: stated.advisory,
    module,
    title: stated.title,
    url: stated.url,
    published_at: stated.published.toISOString(),
    risk: stated.risk,
    risk_score: stated.riskScore,
    risk_vector: stated.riskVector,
    vulnerability,
    cves: readCves(stated.cves),
    ...affectedRanges(module, affectedVersions, fixed),
    fixed,
    unsupported: fixed.length === 0 && (givenUp || affectedVersions === '*'),
  };
}

/** The id of an entry; null: it is no advisory. */
export function advisoryId({ title, link }: Pick<FeedItem, 'title' | 'link'>): string | null {
  const match = ID.exec(link) ?? ID.exec(title);
  if (match) return `SA-${match[1]!.toUpperCase()}-${match[2]}-${match[3]}`;
  const core = CORE_ADDRESS.exec(link);
  return core ? `SA-CORE-${core[1]}-${core[2]}` : null;
}

function readCves(items: readonly string[]): string[] {
  const ids = items.flatMap((text) => text.toUpperCase().match(/\bCVE-\d{4}-\d{4,}\b/g) ?? []);
  return [...new Set(ids)];
}

function readScore(criticality: string): number | null {
  // Drupal.org writes U+2215 between the figures.
  const score = /\b(\d{1,2})\s*[∕/⁄]\s*25\b/.exec(criticality)?.[1];
  return score !== undefined && Number(score) <= 25 ? Number(score) : null;
}

function readRisk(criticality: string): Risk | null {
  const word = /<strong>([^<]*)<\/strong>/i.exec(criticality)?.[1] ?? visibleText(criticality).replace(/\s*\d.*$/, '');
  return riskOfWord(visibleText(word));
}
