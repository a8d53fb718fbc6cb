import type { StreamEntry } from './broker.js';
import { fromFields, rawOf } from './entry-codec.js';
import type { Delivered, Envelope } from './envelope.js';
import { PoisonMessageError } from './failures.js';
import type { BatchHandler, DeadLetter } from './ports.js';
import { gunzipBounded } from './unpack-body.js';

/** Checks one decoded body (or `meta`); null: it fits, else what is wrong, for people. */
export type SchemaCheck = (data: unknown) => string | null;

export interface MessageContract {
  readonly check: SchemaCheck;
  /**
   * `body`: the JSON body is decoded and is the data; `meta`: the data is the envelope's `meta`, the body stays bytes.
   * Default: `meta` when the envelope carries any.
   */
  readonly source?: 'body' | 'meta';
}

/** A message that can be handled, with the handler that will. */
export interface Readable<Tx> {
  readonly entry: StreamEntry;
  readonly message: Delivered;
  readonly handler: BatchHandler<Tx>;
}

/** What came of one entry. */
export type Reading<Tx> =
  | { readonly kind: 'readable'; readonly work: Readable<Tx> }
  | { readonly kind: 'unreadable'; readonly entry: StreamEntry; readonly letter: DeadLetter }
  | { readonly kind: 'unknown'; readonly entry: StreamEntry; readonly letter: DeadLetter };

export interface MessageReaderOptions<Tx> {
  readonly queue: string;
  readonly handlers: readonly BatchHandler<Tx>[];
  readonly schemaFor: (type: string, version: number) => MessageContract | undefined;
}

/** Largest JSON body after decompression; a queue's messages are far smaller. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/**
 * Turns entries into messages, each on its own: one that cannot be read never touches its neighbours. Shape is checked
 * here, once, so that handlers get what the contract says.
 */
export class MessageReader<Tx> {
  private readonly handlers = new Map<string, BatchHandler<Tx>>();

  /** @throws Error when two handlers claim one type and version, or a handler's type has no contract. */
  constructor(private readonly options: MessageReaderOptions<Tx>) {
    for (const handler of options.handlers) {
      for (const { type, version } of handler.handles) {
        const name = `${type}@${version}`;
        const other = this.handlers.get(name);
        if (other !== undefined) {
          throw new Error(`${handlerName(handler)} and ${handlerName(other)} both handle ${name} on ${options.queue}.`);
        }
        if (options.schemaFor(type, version) === undefined) {
          throw new Error(`${handlerName(handler)} handles ${name}, which has no contract.`);
        }
        this.handlers.set(name, handler);
      }
    }
  }

  read(entry: StreamEntry): Reading<Tx> {
    let envelope: Envelope | null = null;
    try {
      envelope = fromFields(entry.fields);
      const handler = this.handlers.get(`${envelope.type}@${envelope.version}`);
      const contract = this.options.schemaFor(envelope.type, envelope.version);
      if (handler === undefined || contract === undefined) {
        const detail = `No handler of ${this.options.queue} knows ${envelope.type}@${envelope.version}.`;
        return { kind: 'unknown', entry, letter: this.letter(entry, envelope, 'unknown_type', detail) };
      }
      const data = dataOf(envelope, contract);
      const fault = contract.check(data);
      if (fault !== null) throw new PoisonMessageError('invalid_schema', fault);
      const message: Delivered = { envelope, data, delivery: entry.delivery, queue: this.options.queue };
      return { kind: 'readable', work: { entry, message, handler } };
    } catch (error) {
      const code = error instanceof PoisonMessageError ? error.code : 'malformed_entry';
      if (code === 'unknown_layout') {
        return { kind: 'unknown', entry, letter: this.letter(entry, envelope, code, reasonOf(error)) };
      }
      return { kind: 'unreadable', entry, letter: this.letter(entry, envelope, code, reasonOf(error)) };
    }
  }

  /** A dead letter for an entry, readable or not. */
  letter(
    entry: StreamEntry,
    envelope: Envelope | null,
    code: string,
    detail: string,
    handler: BatchHandler<Tx> | null = null,
  ): DeadLetter {
    return {
      envelope,
      queue: this.options.queue,
      raw: envelope === null ? rawOf(entry.fields) : null,
      code,
      detail: detail.slice(0, 4_000),
      handler: handler === null ? null : handlerName(handler),
      deliveries: entry.delivery,
    };
  }
}

export function handlerName(handler: BatchHandler<never>): string {
  return handler.constructor === Object ? 'handler' : handler.constructor.name;
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof PoisonMessageError) return error.message;
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? `${error.name} ${code}: ${error.message}` : `${error.name}: ${error.message}`;
}

function dataOf(envelope: Envelope, contract: MessageContract): unknown {
  const source = contract.source ?? (envelope.meta === null ? 'body' : 'meta');
  if (source === 'meta') return envelope.meta;
  const bytes = envelope.contentEncoding === 'gzip' ? gunzipBounded(envelope.body, MAX_BODY_BYTES) : envelope.body;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new PoisonMessageError('invalid_json', 'The body is not JSON.', { cause });
  }
}
