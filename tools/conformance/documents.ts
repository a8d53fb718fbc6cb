import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { prepareHistory, readReleaseHistory, UnreadableDocumentError, type FetchedHistory } from '#libs/drupal';

/** The documents beside a file of cases, each read once: files, or lines `{path, body}` of one `documents.jsonl.gz`. */
export class Documents {
  private readonly known = new Map<string, FetchedHistory>();
  private readonly bodies: ReadonlyMap<string, Buffer>;

  constructor(private readonly folder: string) {
    this.bodies = packedBodies(join(folder, 'documents.jsonl.gz'));
  }

  /** @param path below the folder; what stands there is the body the update server answered with. */
  read(path: string): FetchedHistory {
    let document = this.known.get(path);
    if (!document) {
      document = readBody(this.bodies.get(path) ?? readFileSync(this.locate(path)));
      this.known.set(path, document);
    }
    return document;
  }

  /** A case may name its document with the folder or without. */
  private locate(path: string): string {
    const places = [path, `xml/${path}`, path.replace(/^xml\//, '')].map((place) => join(this.folder, place));
    return places.find((place) => existsSync(place)) ?? (places[0] as string);
  }
}

function packedBodies(path: string): Map<string, Buffer> {
  if (!existsSync(path)) return new Map();
  const lines = gunzipSync(readFileSync(path)).toString('utf8').split('\n').filter(Boolean);
  return new Map(
    lines.map((line) => {
      const { path: name, body } = JSON.parse(line) as { path: string; body: string };
      return [name, Buffer.from(body, 'utf8')];
    }),
  );
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
