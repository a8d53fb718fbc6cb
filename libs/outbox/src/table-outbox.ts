import { gzipSync } from 'node:zlib';
import { hash } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { problemsOf } from '#libs/contracts';
import { asSystem, joinedBuffers, numbers, texts } from '#libs/database';
import { currentCauses, currentCorrelationId, currentTraceparent, newId, systemClock, type Clock } from '#libs/runtime';
import type { Envelope } from '#libs/streams';
import { causeOf } from './cause-of.js';
import { InvalidEventError } from './invalid-event.js';
import type { Outbox, OutgoingEvent } from './ports.js';

/**
 * Bodies above this many bytes are compressed. Below, gzip's time outweighs what it saves: a changed inventory's event of some
 * modules stays plain, a first inventory's is compressed (`npm run bench -- ingest`, five changed: 7 % faster than at 1024).
 */
const COMPRESS_ABOVE_BYTES = 4096;

/**
 * The outbox as a table of the service's schema. An envelope gets its id here, once, so that however often the relay has to
 * repeat itself, subscribers see the same id. All subscribers' copies of one event share it.
 */
export class TableOutbox implements Outbox {
  private readonly written = new WeakSet<EntityManager>();

  constructor(private readonly clock: Clock = systemClock) {}

  /** @throws InvalidEventError before anything is written, when a body does not fit its event's schema. */
  async add(tx: EntityManager, events: readonly OutgoingEvent[]): Promise<void> {
    const rows = events.flatMap((outgoing) => {
      const envelope = this.toEnvelope(outgoing);
      return outgoing.event.queues.map((queue) => ({ queue: queue.name, envelope }));
    });
    await this.addEnvelopes(tx, rows);
  }

  /** Writes finished envelopes as they are, id and all (replay of dead letters). */
  async addEnvelopes(tx: EntityManager, rows: readonly { queue: string; envelope: Envelope }[]): Promise<void> {
    if (rows.length === 0) return;
    const facts = joinedBuffers(rows.map(({ envelope: { body: _, ...rest } }) => Buffer.from(JSON.stringify(rest))));
    const bodies = joinedBuffers(rows.map(({ envelope }) => envelope.body));
    // The outbox is the platform's: an event may be of no tenant, or told by one of another.
    await asSystem(() =>
      tx.query(
        `INSERT INTO outbox (queue, key, organization_id, envelope, body)
         SELECT queue, key, organization_id, convert_from(substring($4::bytea FROM facts_at FOR facts_length), 'UTF8')::json,
           substring($7::bytea FROM body_at FOR body_length)
         FROM unnest($1::text[], $2::text[], $3::bigint[], $5::int[], $6::int[], $8::int[], $9::int[])
           WITH ORDINALITY AS row (queue, key, organization_id, facts_at, facts_length, body_at, body_length, position)
         ORDER BY position`,
        [
          texts(rows.map(({ queue }) => queue)),
          texts(rows.map(({ envelope }) => envelope.key.replaceAll('\0', '\ufffd'))),
          numbers(rows.map(({ envelope }) => envelope.organizationId)),
          facts.bytes,
          facts.offsets,
          facts.lengths,
          bodies.bytes,
          bodies.offsets,
          bodies.lengths,
        ],
      ),
    );
    this.written.add(tx);
  }

  /** Whether `tx` has put anything here: then its commit is worth a nudge to the relay. */
  hasWrittenIn(tx: EntityManager): boolean {
    return this.written.has(tx);
  }

  private toEnvelope({ event, ...outgoing }: OutgoingEvent): Envelope {
    if (event.factsIn === 'meta') throw new InvalidEventError(event.type, ['it is published straight to its stream']);
    const problems = problemsOf(event.schema)(outgoing.body);
    if (problems.length > 0) throw new InvalidEventError(event.type, problems);
    const json = Buffer.from(JSON.stringify(outgoing.body), 'utf8');
    const compressed = json.length > COMPRESS_ABOVE_BYTES;
    const body = compressed ? gzipSync(json, { level: 3 }) : json;
    const cause = causeOf(outgoing, currentCauses());
    return {
      id: newId(),
      type: event.type,
      version: event.version,
      organizationId: outgoing.organizationId,
      key: outgoing.key,
      occurredAt: (outgoing.occurredAt ?? this.clock.now()).toISOString(),
      correlationId: outgoing.correlationId ?? currentCorrelationId() ?? cause?.correlationId ?? newId(),
      causationId: outgoing.causationId ?? cause?.id ?? null,
      traceparent: cause === null ? currentTraceparent() : cause.traceparent,
      contentHash: hash('sha256', body),
      contentEncoding: compressed ? 'gzip' : 'identity',
      meta: null,
      body,
    };
  }
}
