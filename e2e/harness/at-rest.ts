import { SERVICES } from '#libs/contracts';

const OUTBOXES = SERVICES.map((service) => `${service}.outbox`);

/** SQL of how many events wait in all outboxes together. */
export const UNTOLD = `(${OUTBOXES.map((name) => `(SELECT count(*) FROM ${name})`).join(' + ')})::int`;

/** SQL of how many events all outboxes together have ever had. */
export const TOLD = `(${OUTBOXES.map((name) => `coalesce(pg_sequence_last_value(pg_get_serial_sequence('${name}', 'id')::regclass), 0)`).join(' + ')})::float8`;

/** What one look at the platform finds. */
export interface Look {
  /** How many events were ever told. */
  readonly told: number;
  /** What is on its way, in words; null: nothing. */
  readonly left: string | null;
}

/**
 * Queues and outboxes cannot be read at once, and what leaves a queue may be in an outbox that was read before. So all must be empty twice in a row,
 * and nothing told in between.
 * @returns a probe: whether nothing is on its way. It throws with what is left.
 */
export function untilAtRest(look: () => Promise<Look>): () => Promise<boolean> {
  let told: number | undefined;
  return async () => {
    const before = told;
    told = undefined;
    const now = await look();
    if (now.left !== null) throw new Error(now.left);
    told = now.told;
    return told === before;
  };
}
