import { TextDecoder } from 'node:util';
import { UnreadableDocumentError } from './unreadable-document.js';

const DECLARED_ENCODING = /^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']/;

/** Decodes the bytes of an XML document as its byte-order mark or its declaration says; UTF-8 without either. Strict. */
export class DocumentDecoder {
  private readonly decoder: TextDecoder;

  /** @throws UnreadableDocumentError `encoding` when the encoding is not known. */
  constructor(document: Uint8Array) {
    try {
      this.decoder = new TextDecoder(encodingOf(document), { fatal: true });
    } catch {
      throw new UnreadableDocumentError('encoding', 'the document is in an unknown encoding');
    }
  }

  /** @throws UnreadableDocumentError `encoding` when the bytes are not text in the document's encoding. */
  decode(bytes: Uint8Array, last: boolean): string {
    try {
      return this.decoder.decode(bytes, { stream: !last });
    } catch {
      throw new UnreadableDocumentError('encoding', 'the document is not text in the encoding it declares');
    }
  }
}

function encodingOf(document: Uint8Array): string {
  const [first, second, third] = document;
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if (first === 0x3c && second === 0) return 'utf-16le';
  if (first === 0 && second === 0x3c) return 'utf-16be';
  const head = Buffer.from(document.buffer, document.byteOffset, Math.min(document.byteLength, 256)).toString('latin1');
  const declared = DECLARED_ENCODING.exec(head)?.[1]?.toLowerCase() ?? 'utf-8';
  // A declaration one could read byte by byte is not in UTF-16, whatever it says.
  return declared.startsWith('utf-16') ? 'utf-8' : declared;
}
