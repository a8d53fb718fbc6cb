type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Places where a test of disasters may break a running process. Nothing of it exists unless `PATCHWATCH_FAIL_POINTS` is set: then
 * `failPoints()` gives an object that callers wrap their parts with; otherwise null, and not even a check is left in the hot path.
 *
 * The variable holds rules, separated by `;`, each `<point>=<action>[:<ms>][@<n>|%<n>][~<text>]`:
 *
 *   batch.committed=kill@3            the third time: SIGKILL to itself
 *   message=throw~0190aaaa            whenever it is about that text: an error
 *   batch.handled=stop%10             every tenth time: SIGSTOP to itself (whoever watches sends SIGCONT)
 *   message=delay:500                 waits, while the rest of the process goes on
 *   message=burn:60000~0190bbbb       computes for so long, while the rest of the process stands still
 */
export interface FailPoints {
  /**
   * The process has come to `point`. Resolves when it may go on.
   * @param about what is in work there (ids, queue, key); rules with a text apply when it holds that text.
   * @throws FailPointError where a rule says `throw`
   */
  reach(point: string, about: string): Promise<void>;
}

/** What a fail point throws: an error like any defect's, without a verdict of its own. */
export class FailPointError extends Error {
  constructor(point: string) {
    super(`the fail point ${point} was told to throw`);
    this.name = FailPointError.name;
  }
}

const ACTIONS = ['kill', 'stop', 'throw', 'delay', 'burn'] as const;
type Action = (typeof ACTIONS)[number];

interface Rule {
  readonly point: string;
  readonly action: Action;
  readonly ms: number;
  /** Only the nth time; 0: always. */
  readonly nth: number;
  /** Every nth time; 0: always. */
  readonly every: number;
  readonly text: string;
  reached: number;
}

const RULE = /^([a-z][a-z.-]*)=([a-z]+)(?::(\d{1,7}))?(?:@(\d{1,7})|%(\d{1,7}))?(?:~(.+))?$/;
const SETTING = 'PATCHWATCH_FAIL_POINTS';

/** What is wrong with the setting; null when it is absent or right. Production refuses it: a process that kills itself is no service. */
export function failPointProblem(env: Environment): string | null {
  const text = env[SETTING];
  if (!text) return null;
  if (env['NODE_ENV'] === 'production') return `${SETTING} is for tests of disasters and must not be set in production`;
  const wrong = text.split(';').find((rule) => ruleOf(rule) === null);
  return wrong === undefined ? null : `${SETTING} has a rule that cannot be read: "${wrong}"`;
}

/** @returns null unless the setting is there. @throws Error when it is wrong, or the environment is production's. */
export function failPoints(env: Environment, effects: FailPointEffects = realEffects): FailPoints | null {
  const text = env[SETTING];
  if (!text) return null;
  const problem = failPointProblem(env);
  if (problem !== null) throw new Error(problem);
  return new RuledFailPoints(
    text.split(';').map((rule) => ruleOf(rule)!),
    effects,
  );
}

/** What the actions do to the process; tests pass others. */
export interface FailPointEffects {
  signal(signal: 'SIGKILL' | 'SIGSTOP'): void;
  sleep(ms: number): Promise<void>;
  burn(ms: number): void;
}

const realEffects: FailPointEffects = {
  signal: (signal) => {
    process.kill(process.pid, signal);
  },
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  burn: (ms) => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  },
};

class RuledFailPoints implements FailPoints {
  constructor(
    private readonly rules: readonly Rule[],
    private readonly effects: FailPointEffects,
  ) {}

  async reach(point: string, about: string): Promise<void> {
    for (const rule of this.rules) {
      if (rule.point !== point || !about.includes(rule.text)) continue;
      rule.reached++;
      if (rule.nth > 0 && rule.reached !== rule.nth) continue;
      if (rule.every > 0 && rule.reached % rule.every !== 0) continue;
      await this.act(rule);
    }
  }

  private async act({ point, action, ms }: Rule): Promise<void> {
    switch (action) {
      case 'kill':
        return this.effects.signal('SIGKILL');
      case 'stop':
        return this.effects.signal('SIGSTOP');
      case 'delay':
        return this.effects.sleep(ms);
      case 'burn':
        return this.effects.burn(ms);
      case 'throw':
        throw new FailPointError(point);
    }
  }
}

function ruleOf(text: string): Rule | null {
  const match = RULE.exec(text.trim());
  const action = ACTIONS.find((candidate) => candidate === match?.[2]);
  if (!match || action === undefined) return null;
  const [, point, , ms, nth, every, about] = match;
  return {
    point: point!,
    action,
    ms: Number(ms ?? 0),
    nth: Number(nth ?? 0),
    every: Number(every ?? 0),
    text: about ?? '',
    reached: 0,
  };
}
