import { SaxesParser } from 'saxes';
import type { HistoryRelease, ReleaseHistoryDocument } from './release-history.js';
import { documentPieces } from './document-pieces.js';
import { Prolog } from './document-prolog.js';
import { UnreadableDocumentError } from './unreadable-document.js';

/** Drupal's own parser gives up at this depth too. */
export const MAX_DOCUMENT_DEPTH = 256;
/** The parser hands an element over when it is complete, so a single endless one would hold the event loop. */
const MAX_ATTRIBUTES = 200;
/** Core, the largest, has some hundreds. */
const MAX_RELEASES = 25_000;

type Role = 'root' | 'top' | 'releases' | 'release' | 'field' | 'terms' | 'term' | 'term-part' | 'outside';

interface OpenElement {
  role: Role;
  name: string;
  text: string;
  covered: boolean;
  /** Prefixes this element declares. */
  prefixes: Set<string> | null;
}

const TOP_FIELDS = new Set(['title', 'short_name', 'link', 'type', 'project_status', 'supported_branches']);
const RELEASE_FIELDS = new Set([
  'version',
  'status',
  'release_link',
  'download_link',
  'date',
  'core_compatible',
  'core_compatibility',
  'core_compatibility_message',
  'security',
]);

/**
 * Reads a release-history document piece by piece, so that a long one need not hold the event loop.
 * Strict: a document that is not well-formed is refused as a whole, because Drupal refuses it as a whole.
 * Entities other than the five predefined ones and document type declarations are refused, so nothing expands.
 */
export class ReleaseHistoryReader {
  private readonly parser = new SaxesParser({
    xmlns: false,
    position: false,
    forceXMLVersion: true,
    defaultXMLVersion: '1.0',
  });
  private readonly stack: OpenElement[] = [];
  private readonly top = new Map<string, string>();
  private readonly releases = new Map<string, HistoryRelease>();
  private readonly prolog = new Prolog();
  private attributes = 0;
  private rootName = '';
  private releasesSeen = false;
  private release: ReleaseUnderConstruction | null = null;
  private termName: string | null = null;
  private termValue: string | null = null;

  constructor() {
    this.parser.on('error', (error) => {
      throw new UnreadableDocumentError('not_well_formed', error.message);
    });
    this.parser.on('doctype', () => {
      throw new UnreadableDocumentError('doctype', 'a document type declaration is not accepted');
    });
    this.parser.on('attribute', () => {
      this.attributes += 1;
      if (this.attributes > MAX_ATTRIBUTES) throw tooComplex(`an element has more than ${MAX_ATTRIBUTES} attributes`);
    });
    this.parser.on('opentag', (tag) => this.open(tag.name, tag.attributes));
    this.parser.on('closetag', () => this.close());
    this.parser.on('text', (text) => this.addText(text));
    this.parser.on('cdata', (text) => this.addText(text));
  }

  /** @throws UnreadableDocumentError as soon as the document is known to be unreadable. */
  write(text: string): void {
    if (text === '') return;
    // Long before the parser would say so: it collects the declaration to its end.
    if (this.prolog.declaresType(text)) {
      throw new UnreadableDocumentError('doctype', 'a document type declaration is not accepted');
    }
    this.parser.write(text);
  }

  /** @throws UnreadableDocumentError when the document is incomplete or describes no project. */
  finish(): ReleaseHistoryDocument {
    this.parser.close();
    if (!this.top.has('short_name')) {
      throw this.rootName === 'error'
        ? new UnreadableDocumentError('project_not_found', 'the server knows no such project')
        : new UnreadableDocumentError('no_project', 'the document has no short_name');
    }
    return {
      ...(Object.fromEntries(this.top) as Omit<ReleaseHistoryDocument, 'releases'>),
      releases: [...this.releases.values()],
    };
  }

  private open(name: string, attributes: Record<string, string>): void {
    this.attributes = 0;
    if (this.stack.length >= MAX_DOCUMENT_DEPTH) {
      throw new UnreadableDocumentError('too_deep', `elements nest deeper than ${MAX_DOCUMENT_DEPTH}`);
    }
    const element: OpenElement = {
      role: 'outside',
      name,
      text: '',
      covered: false,
      prefixes: declaredPrefixes(attributes),
    };
    const parent = this.stack.at(-1);
    this.stack.push(element);
    element.role = parent ? this.roleBelow(parent, name) : 'root';
    if (!parent) this.rootName = name;
    if (element.role === 'field' && name === 'security') element.covered = attributes.covered === '1';
    if (element.role === 'release')
      this.release = { fields: new Map(), firstVersion: null, terms: null, covered: false };
    if (element.role === 'terms' && this.release) this.release.terms = Object.create(null) as Record<string, string[]>;
    if (element.role === 'term') this.termName = this.termValue = null;
  }

  private roleBelow(parent: OpenElement, name: string): Role {
    if (parent.role === 'outside' || this.isPrefixed(name)) return 'outside';
    switch (parent.role) {
      case 'root':
        if (name !== 'releases') return 'top';
        if (this.releasesSeen) return 'outside';
        this.releasesSeen = true;
        return 'releases';
      case 'releases':
        return 'release';
      case 'release':
        if (name !== 'terms') return 'field';
        return this.release?.terms === null ? 'terms' : 'outside';
      case 'terms':
        return 'term';
      case 'term':
        if (name === 'name') return this.termName === null ? 'term-part' : 'outside';
        if (name === 'value') return this.termValue === null ? 'term-part' : 'outside';
        return 'outside';
      default:
        return 'outside';
    }
  }

  /** Elements in a namespace with a prefix are not seen. A prefix that nobody declared is part of the name. */
  private isPrefixed(name: string): boolean {
    const colon = name.indexOf(':');
    if (colon <= 0) return false;
    const prefix = name.slice(0, colon);
    return prefix === 'xml' || this.stack.some((element) => element.prefixes?.has(prefix));
  }

  private addText(text: string): void {
    const element = this.stack.at(-1);
    if (element && (element.role === 'top' || element.role === 'field' || element.role === 'term-part'))
      element.text += text;
  }

  private close(): void {
    const element = this.stack.pop();
    if (!element) return;
    const { role, name, text } = element;
    if (role === 'top' && TOP_FIELDS.has(name)) {
      this.top.set(name, text);
    } else if (role === 'field' && this.release && RELEASE_FIELDS.has(name)) {
      this.release.fields.set(name, text);
      if (name === 'version') this.release.firstVersion ??= text;
      if (name === 'security') this.release.covered = element.covered;
    } else if (role === 'term-part') {
      if (name === 'name') this.termName = text;
      else this.termValue = text;
    } else if (role === 'term' && this.release?.terms) {
      (this.release.terms[this.termName ?? ''] ??= []).push(this.termValue ?? '');
    } else if (role === 'release' && this.release) {
      const release = finishRelease(this.release);
      // A Map keeps the place of the first of a repeated version and takes the data of the last.
      this.releases.set(release.version, release);
      this.release = null;
      if (this.releases.size > MAX_RELEASES) throw tooComplex(`there are more than ${MAX_RELEASES} releases`);
    }
  }
}

function tooComplex(message: string): UnreadableDocumentError {
  return new UnreadableDocumentError('too_complex', message);
}

interface ReleaseUnderConstruction {
  fields: Map<string, string>;
  firstVersion: string | null;
  terms: Record<string, string[]> | null;
  covered: boolean;
}

function finishRelease({ fields, firstVersion, terms, covered }: ReleaseUnderConstruction): HistoryRelease {
  const release: HistoryRelease = { version: firstVersion ?? '' };
  for (const [name, text] of fields) {
    if (name === 'version') {
      if (text !== release.version) release.display_version = text;
    } else if (name === 'security') release.security = { covered, text };
    else (release as unknown as Record<string, string>)[name] = text;
  }
  if (terms) release.terms = terms;
  return release;
}

function declaredPrefixes(attributes: Record<string, string>): Set<string> | null {
  let prefixes: Set<string> | null = null;
  for (const name in attributes) {
    if (name.startsWith('xmlns:') && attributes[name] !== '') (prefixes ??= new Set()).add(name.slice(6));
  }
  return prefixes;
}

/**
 * Reads a release-history document.
 * @param xml the body as it arrived; bytes are decoded as their byte-order mark or declaration says.
 * @throws UnreadableDocumentError whose `code` says why. `project_not_found` is the server's answer for a project it does
 *   not know; every code means "no data" to the status algorithm.
 */
export function readReleaseHistory(xml: string | Uint8Array): ReleaseHistoryDocument {
  const reader = new ReleaseHistoryReader();
  for (const piece of documentPieces(xml, Number.POSITIVE_INFINITY)) reader.write(piece);
  return reader.finish();
}

/**
 * The same, giving the event loop a turn after every slice, for documents of megabytes.
 * @param sliceLength bytes (or characters of a string) read without a pause.
 */
export async function readReleaseHistoryInSlices(
  xml: string | Uint8Array,
  sliceLength = 64 * 1024,
): Promise<ReleaseHistoryDocument> {
  const reader = new ReleaseHistoryReader();
  for (const piece of documentPieces(xml, sliceLength)) {
    reader.write(piece);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return reader.finish();
}
