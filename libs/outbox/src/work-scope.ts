import type { Attributes } from '@opentelemetry/api';
import { asTenant, type TenancyScope } from '#libs/database';
import { tracingOf, withCauses, withCorrelation, type TracedWork } from '#libs/runtime';
import type { Delivered, Envelope, Question } from '#libs/streams';

/**
 * Runs the transaction of a batch so that log lines, the events it writes and spans belong to the messages that caused them. With tracing a span
 * for each message, below the span that its sender gave along; without, the sender's trace goes on as it is and nothing is made.
 */
export function aroundBatch(service: string) {
  return async <T>(messages: readonly Delivered[], work: () => Promise<T>): Promise<T> => {
    const tracing = tracingOf(service);
    const spans = messages.flatMap(({ envelope, queue, delivery }) =>
      tracing === null
        ? []
        : tracing.begin(`process ${queue}`, 'consumer', envelope.traceparent, {
            ...messageAttributes(queue, envelope),
            'messaging.batch.message_count': messages.length,
            'patchwatch.delivery': delivery,
          }),
    );
    const causes = messages.map(({ envelope: { id, key, organizationId, correlationId, traceparent } }, i) => ({
      id,
      key,
      organizationId,
      correlationId,
      traceparent: spans[i]?.traceparent ?? traceparent,
    }));
    return recorded(spans, () => withCauses(causes, work));
  };
}

/** The same for a question that is being answered. It runs for those whom the question is asked for, and sees no row of others. */
export function aroundQuestion(service: string) {
  return async <T>(question: Question, work: () => Promise<T>): Promise<T> => {
    const { correlationId, method } = question;
    const span = tracingOf(service)?.begin(method, 'server', question.traceparent, {
      'rpc.system': 'patchwatch',
      'rpc.method': method,
    });
    const traceparent = span?.traceparent ?? question.traceparent;
    const scoped = (): Promise<T> => asTenant(askedFor(question.data), work);
    const within = (): Promise<T> =>
      correlationId === null ? scoped() : withCorrelation(correlationId, scoped, traceparent);
    return span === undefined ? within() : recorded([span], within);
  };
}

/** Contracts name those they are asked for `scope`; a question without it is for nobody. */
function askedFor(data: unknown): TenancyScope {
  return (data as { scope?: TenancyScope } | null)?.scope ?? { organization_ids: [] };
}

/** The same for rows that the relay of `service` publishes: a span each, below that of the work that wrote it. */
export async function aroundRelay<T>(
  service: string,
  queue: string,
  envelopes: readonly Envelope[],
  work: () => Promise<T>,
): Promise<T> {
  const tracing = tracingOf(service);
  if (tracing === null) return work();
  const spans = envelopes.map((envelope) =>
    tracing.begin(`publish ${queue}`, 'producer', envelope.traceparent, messageAttributes(queue, envelope)),
  );
  return recorded(spans, work);
}

async function recorded<T>(spans: readonly TracedWork[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    for (const span of spans) span.fail(error);
    throw error;
  } finally {
    for (const span of spans) span.end();
  }
}

function messageAttributes(queue: string, { id, type, organizationId, correlationId }: Envelope): Attributes {
  return {
    'messaging.system': 'redis',
    'messaging.destination.name': queue,
    'messaging.message.id': id,
    'messaging.message.conversation_id': correlationId,
    'patchwatch.message.type': type,
    ...(organizationId === null ? {} : { 'patchwatch.organization_id': organizationId }),
  };
}
