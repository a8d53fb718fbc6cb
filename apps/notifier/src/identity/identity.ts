/** Somebody who may get mail. */
export interface Person {
  readonly userId: number;
  readonly userUuid: string;
  readonly email: string;
  readonly name: string;
  readonly superuser: boolean;
  readonly active: boolean;
  readonly organizationIds: readonly number[];
  readonly revision: number;
}

export interface Organization {
  readonly organizationId: number;
  readonly organizationUuid: string;
  readonly name: string;
  readonly timeZone: string;
  readonly removedAt: string | null;
  readonly revision: number;
}

export interface Site {
  readonly siteId: number;
  readonly siteUuid: string;
  readonly organizationId: number;
  readonly name: string;
  readonly url: string;
  readonly environment: string;
  readonly removedAt: string | null;
  readonly revision: number;
}

/** The newest of what a batch says about each: within one statement a row may be written once. In order of the key, so that batches cannot deadlock. */
export function newest<T extends { readonly revision: number }>(facts: readonly T[], keyOf: (fact: T) => number): T[] {
  const latest = new Map<number, T>();
  for (const fact of facts) {
    const known = latest.get(keyOf(fact));
    if (known === undefined || fact.revision > known.revision) latest.set(keyOf(fact), fact);
  }
  return [...latest.values()].sort((a, b) => keyOf(a) - keyOf(b));
}
