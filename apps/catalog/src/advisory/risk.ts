import type { Risk } from '#libs/contracts';

/** Points of each answer, as the security team's published risk calculator counts them; 25 in all. */
const POINTS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  AC: { None: 4, Basic: 2, Complex: 1 },
  A: { None: 4, User: 2, Admin: 1 },
  CI: { All: 5, Some: 3, None: 0 },
  II: { All: 5, Some: 3, None: 0 },
  E: { Exploit: 4, Proof: 2, Theoretical: 1 },
  TD: { All: 3, Default: 2, Uncommon: 1 },
};

/** Lowest score of each level. */
const LEVELS: readonly (readonly [number, Risk])[] = [
  [20, 'highly_critical'],
  [15, 'critical'],
  [10, 'moderately_critical'],
  [5, 'less_critical'],
  [0, 'not_critical'],
];

const WORDS: Readonly<Record<string, Risk>> = {
  'highly critical': 'highly_critical',
  critical: 'critical',
  'moderately critical': 'moderately_critical',
  'less critical': 'less_critical',
  'not critical': 'not_critical',
};

/** The risk that a word of the security team's names; null: it is none of them. */
export function riskOfWord(word: string): Risk | null {
  return WORDS[word.trim().toLowerCase()] ?? null;
}

/** The level of a score of 0–25. */
export function riskOfScore(score: number): Risk {
  return LEVELS.find(([lowest]) => score >= lowest)?.[1] ?? 'not_critical';
}

/** A risk vector in a text: `AC:Basic/A:User/CI:Some/II:Some/E:Theoretical/TD:Default`; null: there is none. */
export function riskVector(text: string): string | null {
  return /\bAC:[A-Za-z]+(?:\/[A-Z]{1,2}:[A-Za-z]+){2,}/.exec(text.replaceAll(',', ''))?.[0] ?? null;
}

/** The score of a vector that answers every question once with a known word; null otherwise (misspelt ones exist). */
export function scoreOfVector(vector: string): number | null {
  const answers = new Map(vector.split('/').map((part) => part.split(':', 2) as [string, string]));
  let score = 0;
  for (const [question, points] of Object.entries(POINTS)) {
    const answer = answers.get(question);
    if (answer === undefined || !Object.hasOwn(points, answer)) return null;
    score += points[answer]!;
  }
  return score;
}

/** The risk that a title says: `Thing - Moderately critical - Access bypass - SA-CONTRIB-2026-001`. */
export function riskOfTitle(title: string): Risk | null {
  const [project = '', ...parts] = title.split(' - ');
  // The oldest titles begin with the risk; a project of such a name is looked at last.
  for (const part of [...parts, project]) {
    const risk = riskOfWord(part);
    if (risk) return risk;
  }
  return null;
}
