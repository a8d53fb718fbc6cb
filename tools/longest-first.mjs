// In which order the suites begin. Jest knows how long each took on this machine before; on a new one it goes by the size of the files, which puts
// a small file that starts whole platforms last, when one worker would be busy with it and the other idle.
import TestSequencer from '@jest/test-sequencer';

/** The longest first. */
const LONGEST = ['/e2e/faults/faults.', '/e2e/stories/'];

export default class LongestFirst extends TestSequencer {
  /** @param {import('@jest/test-result').Test[]} tests */
  sort(tests) {
    const rank = ({ path }) => {
      const place = LONGEST.findIndex((part) => path.replaceAll('\\', '/').includes(part));
      return place < 0 ? LONGEST.length : place;
    };
    // Sorting is stable: among equals the order is Jest's.
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
}
