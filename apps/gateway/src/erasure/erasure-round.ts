import { ERASING_SERVICES, type DataErased, type ErasingService } from '#libs/contracts';

/** What one service erased so far, by table. */
export interface ErasurePart {
  /** The last round it answered. */
  readonly round: number;
  /** Rows in that round. */
  readonly last: number;
  readonly more: boolean;
  readonly erased: Readonly<Record<string, number>>;
}

export type ErasureParts = Readonly<Partial<Record<ErasingService | 'gateway', ErasurePart>>>;

/** The parts with what the gateway itself has found when it asked the others for `round`, or asked them for it again. */
export function withOwn(parts: ErasureParts, round: number, counts: Readonly<Record<string, number>>): ErasureParts {
  const before = parts.gateway;
  const last = (before?.round === round ? before.last : 0) + sum(counts);
  return { ...parts, gateway: { round, last, more: false, erased: added(before?.erased ?? {}, counts) } };
}

/** What comes after an answer. */
export type NextStep = 'wait' | 'again_at_once' | 'again_later' | 'finish';

/** The parts with one more answer in them; an answer that was heard before changes nothing. */
export function withAnswer(parts: ErasureParts, service: ErasingService, answer: DataErased): ErasureParts {
  const before = parts[service];
  if (before !== undefined && before.round >= answer.round) return parts;
  return {
    ...parts,
    [service]: {
      round: answer.round,
      last: sum(answer.counts),
      more: answer.more,
      erased: added(before?.erased ?? {}, answer.counts),
    },
  };
}

/**
 * Facts about the subject may still be on their way when the first round comes by: an erasure is over after a round, the second at the
 * earliest, in which nobody found anything.
 */
export function nextStep(round: number, parts: ErasureParts): NextStep {
  const answers = ERASING_SERVICES.map((service) => parts[service]);
  if (!answers.every((part) => part?.round === round)) return 'wait';
  if (answers.some((part) => part!.more)) return 'again_at_once';
  const found = [...answers, parts.gateway].some((part) => part?.round === round && part.last > 0);
  return round >= 2 && !found ? 'finish' : 'again_later';
}

export function added(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
): Record<string, number> {
  const all: Record<string, number> = { ...one };
  for (const [table, count] of Object.entries(other)) all[table] = (all[table] ?? 0) + count;
  return all;
}

export function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
