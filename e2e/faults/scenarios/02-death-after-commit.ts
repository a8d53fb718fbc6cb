import type { Scenario } from '../scenario.js';
import { dieAgainAndAgain } from './die-again-and-again.js';

export const deathAfterCommit: Scenario = {
  number: 2,
  name: 'death-after-commit',
  promise:
    'death after COMMIT, before the acknowledgement: the second delivery changes nothing; events are not doubled',
  run: (stage) => dieAgainAndAgain(stage, 'batch.committed'),
};
