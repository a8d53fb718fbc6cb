/**
 * The description of an advisory in the feed is an HTML fragment of labelled fields:
 * `<div class="field field-name-… …"><div class="field-label">…</div><div class="field-items"><div class="field-item even">…</div>…</div></div>`.
 * Read by nesting, not by what looks like it: a field inside another's text is not a field.
 */
export interface LabelledField {
  /** HTML of each item. */
  readonly items: readonly string[];
}

const TAG = /<(\/?)div\b([^<>]*)>/gi;
const CLASS = /\bclass\s*=\s*"([^"]*)"/i;

/** Fields by name (`field-sa-cve`); of a repeated name, the first. */
export function labelledFields(fragment: string): Map<string, LabelledField> {
  const fields = new Map<string, LabelledField>();
  let depth = 0;
  let name: string | null = null;
  let items: string[] = [];
  let itemStart = -1;
  const html = withoutComments(fragment);
  for (const match of html.matchAll(TAG)) {
    const closing = match[1] === '/';
    if (!closing) {
      const classes = (CLASS.exec(match[2] ?? '')?.[1] ?? '').split(/\s+/);
      if (depth === 0 && classes.includes('field')) {
        name = classes.find((candidate) => candidate.startsWith('field-name-'))?.slice('field-name-'.length) ?? null;
        items = [];
      }
      // field > field-items > field-item
      if (depth === 2 && name !== null && classes.includes('field-item')) itemStart = match.index + match[0].length;
      depth += 1;
      continue;
    }
    depth = Math.max(0, depth - 1);
    if (depth === 2 && itemStart >= 0) {
      items.push(html.slice(itemStart, match.index));
      itemStart = -1;
    }
    if (depth === 0 && name !== null) {
      if (!fields.has(name)) fields.set(name, { items });
      name = null;
    }
  }
  return fields;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

/** What a reader sees of an HTML fragment: no tags, entities decoded, blanks collapsed. Never to be shown as HTML. */
export function visibleText(html: string): string {
  return withoutComments(html)
    .replace(/<[^<>]*>/g, '')
    .replace(/&(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]+);/gi, (entity, body: string) => {
      if (!body.startsWith('#')) return ENTITIES[body.toLowerCase()] ?? entity;
      const code = body[1] === 'x' || body[1] === 'X' ? Number.parseInt(body.slice(2), 16) : Number(body.slice(1));
      // Half of a surrogate pair is no character, and Postgres stores none.
      const isCharacter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
      return isCharacter ? String.fromCodePoint(code) : entity;
    })
    .replace(/\s+/g, ' ')
    .trim();
}

/** Targets of the links in an HTML fragment, in order. */
export function linkTargets(html: string): string[] {
  return [...withoutComments(html).matchAll(/<a\b([^<>]*)>/gi)].flatMap((tag) => {
    const href = /\bhref\s*=\s*"([^"]*)"/i.exec(tag[1] ?? '')?.[1];
    return href === undefined ? [] : [visibleText(href)];
  });
}

/** In one pass over the text, however many comments begin and never end; an unfinished one hides the rest, as in a browser. */
function withoutComments(html: string): string {
  let kept = '';
  let from = 0;
  for (;;) {
    const start = html.indexOf('<!--', from);
    if (start < 0) return kept + html.slice(from);
    kept += html.slice(from, start);
    const end = html.indexOf('-->', start + 4);
    if (end < 0) return kept;
    from = end + 3;
  }
}
