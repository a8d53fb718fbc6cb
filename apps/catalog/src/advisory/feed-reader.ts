import { SaxesParser } from 'saxes';

/** An entry of the advisory feed, as written. */
export interface FeedItem {
  readonly title: string;
  readonly link: string;
  /** HTML. */
  readonly description: string;
  /** RFC 822 date, as written. */
  readonly published: string;
}

/** The body is no page of advisories; nothing of it may be used. */
export class UnreadableFeedError extends Error {
  constructor(
    readonly code: 'empty' | 'doctype' | 'not_well_formed' | 'no_feed' | 'bad_paging' | 'too_large' | 'too_deep',
    message: string,
  ) {
    super(message);
    this.name = UnreadableFeedError.name;
  }
}

const FIELDS = new Set(['title', 'link', 'description', 'pubDate']);

/** Characters parsed at a time: some milliseconds' work. */
const SLICE = 64 * 1024;
/** Levels of elements; a feed has four. */
const DEEPEST = 32;
/** The feed has ten entries; so many are something else. */
const MOST_ITEMS = 500;
/** Longer than any description; reading one must not hold the event loop. */
const LONGEST_FIELD = 256 * 1024;

/**
 * Reads the feed, strictly: one that breaks off or declares a document type is refused as a whole. In slices, between which the event loop
 * turns.
 * @throws UnreadableFeedError
 */
export async function readFeed(xml: string): Promise<FeedItem[]> {
  if (xml.trim() === '') throw new UnreadableFeedError('empty', 'the page is empty');
  const parser = new SaxesParser({ xmlns: false, position: false, forceXMLVersion: true, defaultXMLVersion: '1.0' });
  // The parser's own table inherits from Object: `&constructor;` would count as defined.
  parser.ENTITIES = Object.assign(Object.create(null) as Record<string, string>, {
    amp: '&',
    gt: '>',
    lt: '<',
    quot: '"',
    apos: "'",
  });
  const items: FeedItem[] = [];
  const path: string[] = [];
  let item: Record<string, string> | null = null;
  let text = '';
  let channels = 0;
  parser.on('error', (error) => {
    throw new UnreadableFeedError('not_well_formed', error.message);
  });
  parser.on('doctype', () => {
    throw new UnreadableFeedError('doctype', 'a document type declaration is not accepted');
  });
  parser.on('opentag', ({ name }) => {
    path.push(name);
    if (path.length > DEEPEST) throw new UnreadableFeedError('too_deep', `more than ${DEEPEST} levels`);
    text = '';
    if (path.join('/') === 'rss/channel') channels += 1;
    if (path.join('/') === 'rss/channel/item') item = {};
  });
  const add = (piece: string): void => {
    if (text.length + piece.length > LONGEST_FIELD) throw new UnreadableFeedError('too_large', 'an entry is too long');
    text += piece;
  };
  parser.on('text', add);
  parser.on('cdata', add);
  parser.on('closetag', ({ name }) => {
    if (item && path.length === 4 && FIELDS.has(name)) item[name] = text;
    if (item && path.length === 3) {
      if (items.length >= MOST_ITEMS) throw new UnreadableFeedError('too_large', `more than ${MOST_ITEMS} entries`);
      items.push({
        title: (item['title'] ?? '').trim(),
        link: (item['link'] ?? '').trim(),
        description: item['description'] ?? '',
        published: (item['pubDate'] ?? '').trim(),
      });
      item = null;
    }
    path.pop();
  });
  for (let from = 0; from < xml.length; from += SLICE) {
    if (from > 0) await new Promise<void>((resolve) => setImmediate(resolve));
    parser.write(xml.slice(from, from + SLICE));
  }
  parser.close();
  if (channels !== 1) throw new UnreadableFeedError('no_feed', 'no channel of a feed in it');
  return items;
}
