import type { Envelope } from './envelope.js';
import { PoisonMessageError } from './failures.js';

/**
 * An envelope as a stream entry: two fields in this order, `facts` (a JSON object of everything but the body) and `body`
 * (the bytes as they came). One facts field instead of twelve: a quarter of the cost on both sides, and still readable
 * with XRANGE. The facts' `v` is the generation of this layout; a reader refuses what it does not know.
 */
const FACTS = 'facts';
const BODY = 'body';
const LAYOUT = 1;

/** The field list of an XADD: `[facts, json, body, bytes]`. The body is passed on untouched. */
export function toFields(envelope: Envelope): [string, string, string, Buffer] {
  return [
    FACTS,
    JSON.stringify({
      v: LAYOUT,
      id: envelope.id,
      type: envelope.type,
      version: envelope.version,
      org: envelope.organizationId,
      key: envelope.key,
      at: envelope.occurredAt,
      correlation: envelope.correlationId,
      causation: envelope.causationId,
      trace: envelope.traceparent,
      hash: envelope.contentHash,
      encoding: envelope.contentEncoding,
      meta: envelope.meta ?? null,
    }),
    BODY,
    envelope.body,
  ];
}

/**
 * Reads one entry's flat field list (`[name, value, …]` as Buffers).
 * @throws PoisonMessageError `malformed_entry` when it is not one of ours.
 */
export function fromFields(fields: readonly Buffer[]): Envelope {
  let facts: Buffer | undefined;
  let body: Buffer | undefined;
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i]!.toString('latin1');
    if (name === FACTS) facts = fields[i + 1];
    else if (name === BODY) body = fields[i + 1];
  }
  if (facts === undefined || body === undefined) {
    throw new PoisonMessageError('malformed_entry', 'The entry lacks the field `facts` or `body`.');
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(facts.toString('utf8'));
  } catch (cause) {
    throw new PoisonMessageError('malformed_entry', 'The entry’s facts are not JSON.', { cause });
  }
  return envelopeOf(parsed, body);
}

function envelopeOf(facts: unknown, body: Buffer): Envelope {
  if (typeof facts !== 'object' || facts === null || Array.isArray(facts)) {
    throw new PoisonMessageError('malformed_entry', 'The entry’s facts are not an object.');
  }
  const f = facts as Record<string, unknown>;
  if (f.v !== LAYOUT) throw new PoisonMessageError('unknown_layout', `Entry layout ${String(f.v)} is not known here.`);
  const encoding = f.encoding;
  if (encoding !== 'identity' && encoding !== 'gzip') {
    throw new PoisonMessageError('malformed_entry', `Content encoding ${String(encoding)} is not known.`);
  }
  if (typeof f.version !== 'number') throw new PoisonMessageError('malformed_entry', 'Fact `version` is no number.');
  return {
    id: text(f, 'id'),
    type: text(f, 'type'),
    version: f.version,
    organizationId: typeof f.org === 'number' ? f.org : null,
    key: text(f, 'key'),
    occurredAt: text(f, 'at'),
    correlationId: text(f, 'correlation'),
    causationId: typeof f.causation === 'string' ? f.causation : null,
    traceparent: typeof f.trace === 'string' ? f.trace : null,
    contentHash: typeof f.hash === 'string' ? f.hash : null,
    contentEncoding: encoding,
    meta: f.meta ?? null,
    body,
  };
}

function text(facts: Record<string, unknown>, name: string): string {
  const value = facts[name];
  if (typeof value !== 'string') throw new PoisonMessageError('malformed_entry', `Fact \`${name}\` is no text.`);
  return value;
}

/** The raw entry for a dead letter whose envelope could not be read: text as UTF-8 where it is, else base64. */
export function rawOf(fields: readonly Buffer[]): Record<string, string> {
  const raw: Record<string, string> = {};
  for (let i = 0; i < fields.length; i += 2) {
    const value = fields[i + 1] ?? Buffer.alloc(0);
    const decoded = value.toString('utf8');
    const isText = !decoded.includes('\u0000') && Buffer.from(decoded, 'utf8').equals(value);
    raw[printable(fields[i]!)] = isText ? decoded : `base64:${value.toString('base64')}`;
  }
  return raw;
}

function printable(name: Buffer): string {
  return name.toString('utf8').replaceAll('\u0000', '\ufffd');
}
