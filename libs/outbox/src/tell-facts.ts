import { once } from 'node:events';
import type { EntityManager } from 'typeorm';
import { problemsOf, type EventBody, type EventDefinition, type ServiceName } from '#libs/contracts';
import { asSystem, createDataSource, type ClassReference } from '#libs/database';
import { createLogger } from '#libs/runtime';
import { InvalidEventError } from './invalid-event.js';

/** A fact told anew: the body of the event by which its owner told it the first time. */
export interface ToldFact<D extends EventDefinition = EventDefinition> {
  readonly event: D;
  readonly body: EventBody<D>;
  /** Put together from what an earlier release had kept: where the listener knows more, that stands. */
  readonly reconstructed?: boolean;
}

/** One line of a telling; the last one has `end` instead. */
export interface ToldLine {
  readonly type: string;
  readonly version: number;
  readonly body: unknown;
  readonly reconstructed?: true;
}

/** The last line: without it the teller died before it had told everything. */
export interface ToldEnd {
  readonly end: ServiceName;
  readonly facts: number;
}

/** Reads in one transaction that sees one moment, and writes nothing. Short ones, so that vacuum is not held back. */
export type ReadPage = <T>(read: (tx: EntityManager) => Promise<T>) => Promise<T>;

/** Connects as a service does. */
export interface TellerOptions {
  readonly service: ServiceName;
  readonly url: string;
  readonly entities: readonly ClassReference[];
}

/**
 * Tells a service's facts anew as lines of JSON, no faster than they are taken.
 * @throws InvalidEventError for a fact that does not fit its contract; the database's error.
 */
export async function tellFacts(
  { service, url, entities }: TellerOptions,
  facts: (page: ReadPage) => AsyncIterable<ToldFact>,
  write: (line: string) => Promise<void>,
): Promise<void> {
  const dataSource = createDataSource({
    url,
    schema: service,
    entities,
    migrations: [],
    applicationName: `patchwatch-${service}-tell`,
    poolSize: 1,
  });
  await dataSource.initialize();
  try {
    let count = 0;
    for await (const { event, body, reconstructed } of facts((read) =>
      asSystem(() =>
        dataSource.transaction('REPEATABLE READ', async (tx) => {
          await tx.query('SET TRANSACTION READ ONLY');
          return read(tx);
        }),
      ),
    )) {
      const problems = problemsOf(event.schema)(body);
      if (problems.length > 0) throw new InvalidEventError(event.type, problems);
      const line: ToldLine = {
        type: event.type,
        version: event.version,
        body,
        ...(reconstructed ? { reconstructed } : {}),
      };
      await write(JSON.stringify(line));
      count++;
    }
    const end: ToldEnd = { end: service, facts: count };
    await write(JSON.stringify(end));
  } finally {
    await dataSource.destroy();
  }
}

/**
 * The whole life of a process that tells: settings from the environment as the service reads them, lines on standard output, exit code 0 when
 * everything was told.
 */
export async function runTeller(
  service: ServiceName,
  entities: readonly ClassReference[],
  facts: (page: ReadPage) => AsyncIterable<ToldFact>,
): Promise<void> {
  const own = `PATCHWATCH_${service.toUpperCase()}_DATABASE_URL`;
  const url = process.env[own] || process.env['PATCHWATCH_DATABASE_URL'];
  const { stdout } = process;
  // Without a listener a reader that is gone would end the process as by a defect; the next line notices.
  stdout.on('error', () => undefined);
  try {
    if (!url) throw new Error(`set ${own} or PATCHWATCH_DATABASE_URL`);
    await tellFacts({ service, url, entities }, facts, async (line) => {
      if (stdout.destroyed) throw new Error('nobody listens any more');
      if (!stdout.write(`${line}\n`)) await once(stdout, 'drain');
    });
  } catch (error) {
    createLogger(service, { destination: process.stderr }).error({ err: error }, 'the facts could not be told');
    process.exitCode = 1;
  }
}
