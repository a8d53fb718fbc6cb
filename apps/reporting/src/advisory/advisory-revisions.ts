import type { AdvisoryChanged, AdvisoryRevision } from '#libs/contracts';

/** A version of an advisory as it was told of. */
export interface RevisionFacts {
  readonly revision: number;
  readonly knownAt: Date;
  readonly facts: AdvisoryChanged;
}

/** Members in which two versions can differ, as the API names them. */
const MEMBERS = [
  ...([
    'state',
    'module',
    'title',
    'url',
    'published_at',
    'risk',
    'risk_score',
    'risk_vector',
    'vulnerability',
  ] as const),
  ...(['cves', 'affected', 'affected_d7', 'fixed', 'unsupported'] as const),
];

/** @param revisions the newest first */
export function revisionRows(revisions: readonly RevisionFacts[]): AdvisoryRevision[] {
  return revisions.map(({ revision, knownAt, facts }, index) => ({
    revision,
    known_at: knownAt.toISOString(),
    state: facts.state,
    title: facts.title,
    published_at: new Date(facts.published_at).toISOString(),
    risk: facts.risk,
    cves: facts.cves,
    affected: facts.affected,
    affected_d7: facts.affected_d7,
    fixed: facts.fixed,
    unsupported: facts.unsupported,
    changed: differences(revisions[index + 1]?.facts, facts),
  }));
}

function differences(before: AdvisoryChanged | undefined, after: AdvisoryChanged): string[] {
  if (!before) return [];
  return MEMBERS.filter((member) => comparable(before, member) !== comparable(after, member));
}

function comparable(facts: AdvisoryChanged, member: (typeof MEMBERS)[number]): string {
  const value = facts[member] ?? null;
  return JSON.stringify(member === 'published_at' ? Date.parse(facts.published_at) : value);
}
