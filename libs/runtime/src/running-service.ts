/** What one look at a service's needs found. `ok` only when every check is. */
export interface Readiness {
  readonly ok: boolean;
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail?: string }>>;
}

/** A started service, whoever composes it: its own process, or one process for all. */
export interface RunningService {
  readonly name: string;
  /** Whether it can do its work now. Never rejects for a need that is away: that is an answer. */
  ready(): Promise<Readiness>;
  /** Takes no new work, ends what it has begun, closes its connections. Resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}

/** Joins the answers of several services (or parts of one) into one; the names become prefixes of the checks. */
export function joinReadiness(parts: Readonly<Record<string, Readiness>>): Readiness {
  const entries = Object.entries(parts);
  return {
    ok: entries.every(([, part]) => part.ok),
    checks: Object.fromEntries(
      entries.flatMap(([name, part]) =>
        Object.entries(part.checks).map(([check, result]) => [`${name}.${check}`, result] as const),
      ),
    ),
  };
}
