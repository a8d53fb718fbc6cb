// A ladder: ways to get a server, tried in order, each printed with its result and the reason.

/** This way cannot work here; the next one may. The message says why. */
export class RungFailed extends Error {}

/** Stop climbing: a person gave something that does not work, and going on would do something else than what was asked for. */
export class LadderStopped extends Error {}

/**
 * @template T
 * @param {string} what the server that is wanted
 * @param {{name: string, why?: string, climb: () => Promise<T | undefined>}[]} rungs `undefined` means "does not apply here"
 * @param {{say: (text: string) => void, lastWord: string}} options
 * @returns {Promise<T>}
 * @throws LadderStopped
 */
export async function climb(what, rungs, { say, lastWord }) {
  // For trying the later ways on a machine where an earlier one works.
  const skipped = (process.env.PATCHWATCH_SKIP_RUNGS ?? '').split(',').map((name) => name.trim());
  for (const rung of rungs) {
    if (skipped.includes(rung.name)) {
      say(`${what}: ${rung.name}: left out (PATCHWATCH_SKIP_RUNGS)`);
      continue;
    }
    try {
      const found = await rung.climb();
      if (found !== undefined) {
        say(`${what}: ${rung.name}: ${found.how}`);
        return found;
      }
      say(`${what}: ${rung.name}: ${rung.why ?? 'not here'}`);
    } catch (error) {
      if (!(error instanceof RungFailed)) throw error;
      say(`${what}: ${rung.name}: does not work: ${error.message}`);
    }
  }
  throw new LadderStopped(`No ${what} could be found or started.\n${lastWord}`);
}
