/**
 * What every stream entry carries. The facts come first and the body last; the body stays compressed as it came.
 */
export interface Envelope {
  /** Our own id, UUIDv7, made once by the publisher. A redelivery and a duplicate XADD keep it. */
  readonly id: string;
  /** `<owner>.<event>`; with `version` it selects handler and schema. */
  readonly type: string;
  readonly version: number;
  /** Tenant; null for facts that belong to nobody (releases, advisories). */
  readonly organizationId: number | null;
  /** Partition key: site UUID, module name, organization UUID. */
  readonly key: string;
  /** RFC 3339: when the fact came about. */
  readonly occurredAt: string;
  readonly correlationId: string;
  /** Id of the message or request that caused this one. */
  readonly causationId: string | null;
  /** W3C trace context. */
  readonly traceparent: string | null;
  /** SHA-256 of the body as carried, hex; null when the publisher made none. */
  readonly contentHash: string | null;
  readonly contentEncoding: 'identity' | 'gzip';
  /** Facts needed before the body is decoded (see `gateway.push-received`). JSON object or null. */
  readonly meta: unknown;
  readonly body: Buffer;
}

/** A message as a handler sees it: decoded and validated against its schema at the stream's edge. */
export interface Delivered<T = unknown> {
  readonly envelope: Envelope;
  /** The JSON body, parsed; for types whose facts are in `meta`, that object. */
  readonly data: T;
  /** 1 for the first delivery. */
  readonly delivery: number;
  readonly queue: string;
}
