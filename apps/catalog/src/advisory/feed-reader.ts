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

/** The body is no feed; nothing of it may be used. */
export class UnreadableFeedError extends Error {
  constructor(
    readonly code: 'empty' | 'doctype' | 'not_well_formed' | 'no_feed',
    message: string,
  ) {
    super(message);
    this.name = UnreadableFeedError.name;
  }
}

const FIELDS = new Set(['title', 'link', 'description', 'pubDate']);

/**
 * Reads one page of the feed, strictly: a page that breaks off or declares a document type is refused as a whole.
 * @throws UnreadableFeedError
 */
export function readFeed(xml: string): FeedItem[] {
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
    text = '';
    if (path.join('/') === 'rss/channel') channels += 1;
    if (path.join('/') === 'rss/channel/item') item = {};
  });
  const add = (piece: string): void => {
    text += piece;
  };
  parser.on('text', add);
  parser.on('cdata', add);
  parser.on('closetag', ({ name }) => {
    if (item && path.length === 4 && FIELDS.has(name)) item[name] = text;
    if (item && path.length === 3) {
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
  parser.write(xml);
  parser.close();
  if (channels !== 1) throw new UnreadableFeedError('no_feed', 'no channel of a feed in it');
  return items;
}
