import { UnreadableFeedError } from './feed-reader.js';

/** One page of a list of Drupal.org's API, unread. */
export interface ArchivePage {
  readonly nodes: readonly unknown[];
  /** There is a next page. */
  readonly more: boolean;
}

/**
 * Reads a page of `/api-d7/node.json`, strictly: `{self, first, last, next?, list}`. The links say which page it is and whether more follow;
 * one that contradicts them (a cache that ignores the page number, say) is refused. Their paths are not followed: they lack `.json`.
 * @param page that was asked for, from 0
 * @throws UnreadableFeedError
 */
export function readArchivePage(text: string, page: number): ArchivePage {
  if (text.trim() === '') throw new UnreadableFeedError('empty', 'the page is empty');
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new UnreadableFeedError('not_well_formed', 'the page is no whole JSON document');
  }
  const { list, self, last, next } = isRecord(body) ? body : {};
  if (!Array.isArray(list)) throw new UnreadableFeedError('no_feed', 'no list in it');
  const lastPage = pageOf(last);
  const more = next !== undefined && next !== null && next !== '';
  const fits = pageOf(self) === page && lastPage !== null && (more ? pageOf(next) === page + 1 : lastPage <= page);
  if (!fits) throw new UnreadableFeedError('bad_paging', `its links do not fit page ${page}`);
  return { nodes: list as unknown[], more };
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The page that a link of the list names, 0 when it names none; null: it is no link. */
function pageOf(link: unknown): number | null {
  if (typeof link !== 'string' || !URL.canParse(link, 'https://www.drupal.org')) return null;
  const page = new URL(link, 'https://www.drupal.org').searchParams.get('page') ?? '0';
  return /^\d{1,6}$/.test(page) ? Number(page) : null;
}
