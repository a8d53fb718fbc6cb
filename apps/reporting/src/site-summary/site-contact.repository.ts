import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { ContactSpan } from './contact-spans.js';
import { SILENT_AFTER_HOURS } from './silence.js';

@Injectable()
export class SiteContactRepository {
  /** Takes out the spans that one of `words` may join or touch. The caller holds the sites' summaries. */
  async takeOut(tx: EntityManager, words: readonly ContactSpan[]): Promise<ContactSpan[]> {
    const rows: { site_id: number; heard_from: Date; heard_until: Date }[] = await tx.query(
      `WITH heard AS (
         SELECT site_id, min(heard_from) AS heard_from, max(heard_until) AS heard_until
         FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) AS word(site_id, heard_from, heard_until)
         GROUP BY site_id
       ), taken AS (
         DELETE FROM site_contacts c USING heard h
         WHERE c.site_id = h.site_id AND c.heard_from <= h.heard_until + interval '${SILENT_AFTER_HOURS} hours'
           AND c.heard_until >= h.heard_from - interval '${SILENT_AFTER_HOURS} hours'
         RETURNING c.*
       )
       SELECT * FROM taken`,
      parameters(words),
    );
    return rows.map((row) => ({ siteId: row.site_id, from: row.heard_from, until: row.heard_until }));
  }

  async putIn(tx: EntityManager, spans: readonly ContactSpan[]): Promise<void> {
    await tx.query(
      `INSERT INTO site_contacts (site_id, heard_from, heard_until)
       SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[])`,
      parameters(spans),
    );
  }
}

function parameters(spans: readonly ContactSpan[]): unknown[] {
  return [spans.map((span) => span.siteId), spans.map((span) => span.from), spans.map((span) => span.until)];
}
