import { DocumentDecoder } from './document-decoder.js';
import { UnreadableDocumentError } from './unreadable-document.js';

export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

/**
 * Cuts a document into pieces of text with plain line ends.
 * @param length bytes (of a string: characters) a piece may have.
 * @throws UnreadableDocumentError when it is empty, too long or not text.
 */
export function* documentPieces(xml: string | Uint8Array, length: number): Generator<string> {
  const size = typeof xml === 'string' ? Buffer.byteLength(xml) : xml.byteLength;
  if (size > MAX_DOCUMENT_BYTES) {
    throw new UnreadableDocumentError('too_large', `the document is longer than ${MAX_DOCUMENT_BYTES} bytes`);
  }
  if (size === 0) throw new UnreadableDocumentError('empty', 'the document is empty');
  const step = Math.max(1, Math.min(length, xml.length));
  const decode = decoderOf(xml);
  let carried = '';
  for (let start = 0; start < xml.length; start += step) {
    const last = start + step >= xml.length;
    let piece = carried + decode(start, start + step, last);
    // A carriage return may be the first half of a line end.
    carried = piece.endsWith('\r') && !last ? '\r' : '';
    if (carried) piece = piece.slice(0, -1);
    // XML says so; done here because the parser does it character by character.
    yield piece.includes('\r') ? piece.replace(/\r\n?/g, '\n') : piece;
  }
}

function decoderOf(xml: string | Uint8Array): (start: number, end: number, last: boolean) => string {
  if (typeof xml === 'string') return (start, end) => xml.slice(start, end);
  const decoder = new DocumentDecoder(xml);
  return (start, end, last) => decoder.decode(xml.subarray(start, end), last);
}
