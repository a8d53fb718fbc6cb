import { SILENT_AFTER_HOURS } from './silence.js';

const SILENT_AFTER_MS = SILENT_AFTER_HOURS * 3_600_000;

/** A span in which a site was never silent. */
export interface ContactSpan {
  readonly siteId: number;
  readonly from: Date;
  readonly until: Date;
}

/**
 * Joins the spans of each site that no silence separates. Order and repetition of the spans do not matter, so that words of a
 * site may arrive in any order. A single word is a span without extent.
 */
export function joinedContacts(spans: readonly ContactSpan[]): ContactSpan[] {
  const ordered = [...spans].sort((a, b) => a.siteId - b.siteId || a.from.getTime() - b.from.getTime());
  const joined: ContactSpan[] = [];
  for (const span of ordered) {
    const last = joined.at(-1);
    if (last?.siteId === span.siteId && span.from.getTime() - last.until.getTime() <= SILENT_AFTER_MS) {
      joined[joined.length - 1] = { ...last, until: span.until > last.until ? span.until : last.until };
    } else joined.push(span);
  }
  return joined;
}
