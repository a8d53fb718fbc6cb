import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import type { Environment } from './config.js';
import { readTraceparent } from './traceparent.js';

/** What a piece of work is to the outside. */
export type WorkKind = 'server' | 'client' | 'producer' | 'consumer' | 'internal';

/** A span that has begun. */
export interface TracedWork {
  /** What the work causes has this as its parent. */
  readonly traceparent: string;
  /** Notes a failure; the span still has to end. */
  fail(error: unknown): void;
  end(attributes?: Attributes): void;
}

/** Records spans of one service. */
export interface Tracing {
  /** Begins a span below `parent`; null: it is the first of a trace. */
  begin(name: string, kind: WorkKind, parent: string | null, attributes?: Attributes): TracedWork;
  /** Sends what is left, and ends. */
  stop(): Promise<void>;
}

const KINDS: Readonly<Record<WorkKind, SpanKind>> = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
};

const running = new Map<string, Tracing>();

/** Where the spans of `service` go; null while nobody wants them, and then nothing of OpenTelemetry is even loaded. */
export function tracingOf(service: string): Tracing | null {
  return running.get(service) ?? null;
}

/**
 * Begins to record spans when the environment says where to (`OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`); the SDK reads
 * its other settings itself (`OTEL_TRACES_SAMPLER`, `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_BSP_…`). One recorder a service and not one a process, so that
 * a process with all services still says whose span it is.
 * @returns null: nobody wants spans.
 */
export async function startTracing(service: string, env: Environment): Promise<Tracing | null> {
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  const url = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || (base ? `${base.replace(/\/$/, '')}/v1/traces` : '');
  if (!url) return null;
  const { openTracer } = await import('./otlp-tracer.js');
  const recorder = openTracer(service, url);
  const tracing: Tracing = {
    begin: (name, kind, parent, attributes) => begin(recorder.tracer, name, kind, parent, attributes),
    stop: async () => {
      if (running.get(service) === tracing) running.delete(service);
      await recorder.stop();
    },
  };
  running.set(service, tracing);
  return tracing;
}

function begin(
  tracer: Tracer,
  name: string,
  kind: WorkKind,
  parent: string | null,
  attributes: Attributes = {},
): TracedWork {
  const span = tracer.startSpan(name, { kind: KINDS[kind], attributes }, contextOf(parent));
  return {
    traceparent: traceparentOf(span),
    fail: (error) => {
      span.recordException(error instanceof Error ? error : String(error));
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
    },
    end: (more) => {
      if (more) span.setAttributes(more);
      span.end();
    },
  };
}

function contextOf(traceparent: string | null): Context {
  const known = readTraceparent(traceparent);
  if (known === null) return ROOT_CONTEXT;
  const [, traceId, spanId, flags] = known.split('-') as [string, string, string, string];
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
  });
}

function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
