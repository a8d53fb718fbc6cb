/**
 * The description of an advisory in the feed is an HTML fragment of labelled fields:
 * `<div class="field field-name-… …"><div class="field-label">…</div><div class="field-items"><div class="field-item even">…</div>…</div></div>`.
 * Read by nesting, not by what looks like it: a field inside another's text is not a field.
 */
export interface LabelledField {
  /** HTML of each item. */
  readonly items: readonly string[];
}

const TAG = /<!--[\s\S]*?-->|<(\/?)(div)\b([^>]*)>/gi;
const CLASS = /\bclass\s*=\s*"([^"]*)"/i;

/** Fields by name (`field-sa-cve`); of a repeated name, the first. */
export function labelledFields(html: string): Map<string, LabelledField> {
  const fields = new Map<string, LabelledField>();
  let depth = 0;
  let name: string | null = null;
  let items: string[] = [];
  let itemStart = -1;
  for (const match of html.matchAll(TAG)) {
    if (!match[2]) continue;
    const closing = match[1] === '/';
    if (!closing) {
      const classes = (CLASS.exec(match[3] ?? '')?.[1] ?? '').split(/\s+/);
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
  return html
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/<[^>]*>/g, '')
    .replace(/&(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]+);/gi, (entity, body: string) => {
      if (!body.startsWith('#')) return ENTITIES[body.toLowerCase()] ?? entity;
      const code = body[1] === 'x' || body[1] === 'X' ? Number.parseInt(body.slice(2), 16) : Number(body.slice(1));
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : entity;
    })
    .replace(/\s+/g, ' ')
    .trim();
}

/** Targets of the links in an HTML fragment, in order. */
export function linkTargets(html: string): string[] {
  return [...html.matchAll(/<a\b[^>]*\bhref\s*=\s*"([^"]*)"/gi)].map((match) => visibleText(match[1] ?? ''));
}
