import { setImmediate } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { ReleaseHistoryDocument } from '#libs/contracts';
import { readReleaseHistory, readReleaseHistoryInSlices, UnreadableDocumentError } from '#libs/drupal';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../clock.js';
import type { ClaimedModule, SyncFailure } from '../sync/subject.js';
import { FetchFailure } from '../upstream/fetch-failure.js';
import { UPSTREAM } from '../upstream/upstream.tokens.js';
import type { UpstreamParts } from '../upstream/upstream-parts.js';
import type { Validators } from '../upstream/upstream-port.js';
import { judgeDocument } from './judge-document.js';

/** What asking for one module brought. */
export type ModuleAnswer =
  | { readonly kind: 'not_modified' }
  | { readonly kind: 'unchanged'; readonly validators: Validators }
  | {
      readonly kind: 'changed';
      readonly hash: string;
      readonly validators: Validators;
      readonly history: ReleaseHistoryDocument | null;
    }
  | { readonly kind: 'failed'; readonly failure: SyncFailure };

/** Longer documents are read in slices, so that the event loop turns in between. */
const SLICE_ABOVE_BYTES = 128 * 1024;
/**
 * Longer histories (as JSON, in characters) are refused: they are stored, checked and sent in one piece. Core's, the longest of all, has a
 * fifth of it.
 */
const LONGEST_HISTORY = 3 * 1024 * 1024;

/** Asks upstream for one module's release history; writes nothing. */
@Injectable()
export class FetchModuleService {
  constructor(
    @Inject(UPSTREAM) private readonly upstream: UpstreamParts,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Never rejects for what upstream did: that is an answer, with its reason. */
  async fetch({ module, known }: ClaimedModule): Promise<ModuleAnswer> {
    try {
      // No query: it would count as a site in Drupal.org's usage figures.
      const url = `${this.upstream.settings.historyBase}/release-history/${encodeURIComponent(module)}/current`;
      const fetched = await this.upstream.client.get(url, known?.validators ?? null);
      if (fetched.kind === 'not_modified') return fetched;
      const history = await readDocument(fetched.body);
      if (fetched.body.length > SLICE_ABOVE_BYTES) {
        await setImmediate();
        const { length } = JSON.stringify(history);
        if (length > LONGEST_HISTORY) return failed('too_complex', `a history of ${length} characters`);
        await setImmediate();
      }
      const judgement = judgeDocument(module, { history, validators: fetched.validators }, known, this.clock.now());
      switch (judgement.kind) {
        case 'refused':
          return failed(judgement.code, judgement.detail);
        case 'unchanged':
          return { kind: 'unchanged', validators: fetched.validators };
        case 'changed':
          return { kind: 'changed', hash: judgement.hash, validators: fetched.validators, history };
      }
    } catch (error) {
      if (error instanceof FetchFailure) return failed(error.code, error.message, error.details.retryAfterMs);
      if (error instanceof UnreadableDocumentError) return failed(error.code, error.message);
      throw error;
    }
  }
}

const failed = (code: string, detail: string, retryAfterMs?: number): ModuleAnswer => ({
  kind: 'failed',
  failure: { code, detail, retryAfterMs: retryAfterMs ?? null },
});

/** @returns null when upstream knows no such project. @throws UnreadableDocumentError */
async function readDocument(body: Buffer): Promise<ReleaseHistoryDocument | null> {
  try {
    return body.length > SLICE_ABOVE_BYTES ? await readReleaseHistoryInSlices(body) : readReleaseHistory(body);
  } catch (error) {
    if (error instanceof UnreadableDocumentError && error.code === 'project_not_found') return null;
    throw error;
  }
}
