import { createHash } from 'node:crypto';
import type { ReleaseHistoryDocument } from '#libs/contracts';
import type { KnownDocument } from '../sync/subject.js';
import type { Validators } from '../upstream/upstream-port.js';
import { newestReleaseAt } from './release-rows.js';

/** What upstream said of a module: its history, or null: it knows no such project. */
export interface NewDocument {
  readonly history: ReleaseHistoryDocument | null;
  readonly validators: Validators;
}

export type Judgement =
  | { readonly kind: 'changed' | 'unchanged'; readonly hash: string }
  /** Kept away from good data, with the reason. */
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly detail: string };

export type RefusalCode = 'other_project' | 'vanished' | 'lost_releases' | 'older_document';

/** What looks like an accident is believed when upstream has said it for so long. */
const BELIEVE_AFTER_MS = 24 * 3_600_000;

/**
 * Decides whether a readable document may replace what is known. A document of another project never does. One that is older, that
 * has lost most of its releases, or an "unknown project" for a module whose releases are known, does so only when nothing better has come for a day.
 */
export function judgeDocument(module: string, found: NewDocument, known: KnownDocument | null, now: Date): Judgement {
  const { history } = found;
  if (history && history.short_name !== module) {
    return refused('other_project', `the document is about ${(history.short_name ?? '').slice(0, 100)}`);
  }
  const hash = contentHash(history);
  if (!known) return { kind: 'changed', hash };
  if (known.hash === hash) return { kind: 'unchanged', hash };
  if (known.outcome === 'ok' && now.getTime() - known.fetchedAt.getTime() < BELIEVE_AFTER_MS) {
    if (!history) return refused('vanished', 'upstream no longer knows the project');
    const count = history.releases.length;
    if (count < known.releases / 2) return refused('lost_releases', `${count} releases where ${known.releases} were`);
    const older = olderBecause(history, found.validators, known);
    if (older !== null) return refused('older_document', older);
  }
  return { kind: 'changed', hash };
}

/**
 * Why a document is an older copy of what is known; null: it is none. The server's dates decide where they differ; where they say nothing, a
 * copy is older that lacks what was released last: news always bring a newer release, or leave the newest where it is.
 */
function olderBecause(history: ReleaseHistoryDocument, found: Validators, known: KnownDocument): string | null {
  const before = Date.parse(known.validators.lastModified ?? '');
  const after = Date.parse(found.lastModified ?? '');
  if (after > before) return null;
  if (after < before) return `last modified ${found.lastModified}`;
  const newest = newestReleaseAt(history);
  if (!known.newestReleaseAt || (newest && newest >= known.newestReleaseAt)) return null;
  return `its newest release is of ${newest?.toISOString() ?? 'no date'}, where one of ${known.newestReleaseAt.toISOString()} is known`;
}

const refused = (code: RefusalCode, detail: string): Judgement => ({ kind: 'refused', code, detail });

/** Of what was read, not of the bytes. The reader writes fields in the document's order, so the same document gives the same text. */
function contentHash(history: ReleaseHistoryDocument | null): string {
  return createHash('sha256').update(JSON.stringify(history)).digest('hex');
}
