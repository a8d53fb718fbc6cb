import type { Cause } from '#libs/runtime';

/** What an event says of its origin; all of it may be missing. */
export interface Origin {
  readonly key: string;
  readonly organizationId: number | null;
  readonly causationId?: string | null;
}

/**
 * The message of the batch that an event comes from: the one it names; else the only one, or the only one with the event's key, or of its
 * organization. null when several could be it: none is better than a wrong one.
 */
export function causeOf(origin: Origin, causes: readonly Cause[]): Cause | null {
  if (causes.length === 0) return null;
  if (origin.causationId != null) return causes.find(({ id }) => id === origin.causationId) ?? null;
  return (
    onlyOne(causes) ??
    onlyOne(causes.filter(({ key }) => key === origin.key)) ??
    (origin.organizationId === null
      ? null
      : onlyOne(causes.filter(({ organizationId }) => organizationId === origin.organizationId)))
  );
}

function onlyOne(causes: readonly Cause[]): Cause | null {
  return causes.length === 1 ? causes[0]! : null;
}
