import type { AdvisoryRow, listAdvisories, RpcInput } from '#libs/contracts';
import type { CauseCount } from '../fleet-counts/fleet-counts.js';
import { RISKS_ASCENDING } from '../site-summary/risk-rank.js';

export type AdvisoryListInput = RpcInput<typeof listAdvisories>;
type Words = Omit<AdvisoryRow, 'sites_exposed' | 'sites_open' | 'sites_patched' | 'sites_unknown'>;

/** An advisory with how the sites of a scope stand to it. */
export interface CountedAdvisory<F extends { readonly words: Words } = { readonly words: Words }> {
  readonly facts: F;
  /** undefined: no site is or was exposed to it. */
  readonly count: CauseCount | undefined;
}

/** Whether an advisory belongs to what was asked for. */
export function isWanted({ facts: { words }, count }: CountedAdvisory, input: AdvisoryListInput): boolean {
  return (
    (input.q === undefined || speaksOf(words, input.q.toLowerCase())) &&
    (input.module === undefined || input.module.includes(words.module)) &&
    (input.risk === undefined || (words.risk !== null && input.risk.includes(words.risk))) &&
    (input.state === undefined || input.state.includes(words.state)) &&
    (input.cve === undefined || words.cves.some((cve) => input.cve!.includes(cve))) &&
    (input.exposed === undefined || input.exposed === (count?.open ?? 0) > 0) &&
    (input.matched === undefined || input.matched === (count !== undefined)) &&
    (input.fixed === undefined || input.fixed === words.fixed.length > 0) &&
    (input.published_from === undefined || Date.parse(words.published_at) >= Date.parse(input.published_from)) &&
    (input.published_before === undefined || Date.parse(words.published_at) < Date.parse(input.published_before))
  );
}

/** What the list is sorted by. */
export function sortValue({ facts: { words }, count }: CountedAdvisory, field: string): string | number | null {
  switch (field) {
    case 'risk':
      return words.risk === null ? null : RISKS_ASCENDING.indexOf(words.risk);
    case 'sites_exposed':
      return count?.exposed ?? 0;
    case 'sites_open':
      return count?.open ?? 0;
    default:
      return words[field as 'published_at' | 'known_at' | 'id'];
  }
}

function speaksOf(words: Words, part: string): boolean {
  return [words.id, words.title, words.module, words.module_title ?? '', ...words.cves].some((text) =>
    text.toLowerCase().includes(part),
  );
}
