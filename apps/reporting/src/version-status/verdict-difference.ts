import {
  judgeByAdvisories,
  judgeByMark,
  MARK,
  type InstalledVersion,
  type JudgedAdvisory,
  type JudgedVersion,
  type KnownHistory,
} from './version-judgement.js';

/** What turns the verdicts that stand into those that follow now. */
export interface VerdictDifference<T> {
  readonly stored: JudgedVersion[];
  readonly removed: T[];
}

/**
 * New verdicts of the changed advisories and of the mark, against those that stand.
 * @param standing all verdicts on the versions, of all causes
 */
export function verdictDifference<T extends JudgedVersion>(
  versions: readonly InstalledVersion[],
  known: KnownHistory,
  changed: readonly JudgedAdvisory[],
  standing: readonly T[],
): VerdictDifference<T> {
  const rejudged = new Set([MARK, ...changed.map(({ advisoryId }) => advisoryId)]);
  const kept = standing.filter(({ causeId }) => !rejudged.has(causeId));
  const judged = judgeByAdvisories(versions, changed);
  const seenMarked = new Map(
    standing
      .filter(({ causeId, unsafeFrom, fixedIn }) => causeId === MARK && unsafeFrom && fixedIn?.length === 0)
      .map(({ versionId, unsafeFrom }) => [versionId, unsafeFrom!]),
  );
  judged.push(...judgeByMark(versions, known, affectedOf([...kept, ...judged]), seenMarked));

  const before = new Map(
    standing.filter(({ causeId }) => rejudged.has(causeId)).map((row) => [verdictIdentity(row), row]),
  );
  const after = new Set(judged.map(verdictIdentity));
  return {
    stored: judged.filter((verdict) => !sameVerdict(before.get(verdictIdentity(verdict)), verdict)),
    removed: [...before].filter(([identity]) => !after.has(identity)).map(([, verdict]) => verdict),
  };
}

/** Versions that some advisory affects. */
export function affectedOf(verdicts: readonly JudgedVersion[]): Set<number> {
  return new Set(
    verdicts.filter(({ verdict, causeId }) => verdict === 'affected' && causeId !== MARK).map((v) => v.versionId),
  );
}

function verdictIdentity({ versionId, causeId }: JudgedVersion): string {
  return `${versionId} ${causeId}`;
}

function sameVerdict(one: JudgedVersion | undefined, other: JudgedVersion): boolean {
  return (
    one !== undefined &&
    one.verdict === other.verdict &&
    one.unsafeFrom?.getTime() === other.unsafeFrom?.getTime() &&
    (one.fixedIn ?? []).join() === (other.fixedIn ?? []).join()
  );
}
