import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareHistory, readReleaseHistory, UnreadableDocumentError, type FetchedHistory } from '#libs/drupal';

/** The documents beside a file of cases, each read once. */
export class Documents {
  private readonly known = new Map<string, FetchedHistory>();

  constructor(private readonly folder: string) {}

  /** @param path below the folder; what stands there is the body the update server answered with. */
  read(path: string): FetchedHistory {
    let document = this.known.get(path);
    if (!document) this.known.set(path, (document = readBody(readFileSync(join(this.folder, path)))));
    return document;
  }
}

/** An empty body, and the body `0`, count as no answer; one that cannot be read counts as an answer without data. */
function readBody(body: Buffer): FetchedHistory {
  if (body.length === 0 || body.equals(Buffer.from('0'))) return { fetch: 'failed', history: null };
  try {
    return { fetch: 'ok', history: prepareHistory(readReleaseHistory(body)) };
  } catch (error) {
    if (error instanceof UnreadableDocumentError) return { fetch: 'ok', history: null };
    throw error;
  }
}
