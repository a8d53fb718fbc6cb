import { ProblemError } from '../http/problem.js';

/** S49: an address is logged by everybody between the site and us. The value is never repeated. */
export function queryProblem(query: Record<string, unknown>): ProblemError {
  const names = Object.keys(query);
  const isKey = Object.entries(query).some(
    ([name, value]) => /key|token|secret/i.test(name) || String(value).startsWith('pw_'),
  );
  if (isKey)
    return new ProblemError(
      'key_in_query',
      'Send the key in the header X-API-Key, and replace it: it may stand in logs now.',
    );
  return new ProblemError(
    'unknown_parameter',
    `There is no parameter ${names.map((name) => `"${name.slice(0, 100)}"`).join(', ')} here.`,
    {
      errors: names
        .slice(0, 20)
        .map((name) => ({ pointer: `/${name.slice(0, 100)}`, code: 'unknown_member', detail: 'does not exist here' })),
    },
  );
}
