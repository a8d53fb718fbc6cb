// In which order the suites begin. Jest knows how long each took on this machine before; on a new one it goes by the size of the files, which puts
// a small file that starts whole platforms last, when one worker would be busy with it and the other idle.
import TestSequencer from '@jest/test-sequencer';

/** The longest first, and all that take ten seconds and more while their files are small. */
const LONGEST = [
  '/e2e/faults/faults.',
  '/e2e/stories/killing-',
  '/e2e/stories/an-operator-',
  '/e2e/stories/',
  '/tools/start/start.',
  '/tools/bench/freshness/',
  '/apps/catalog/test/',
  '/apps/reporting/test/',
  '/libs/streams/src/conformance/',
  '/apps/gateway/test/every-route.',
];

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
