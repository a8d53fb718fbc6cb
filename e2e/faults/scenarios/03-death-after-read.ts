import type { Scenario } from '../scenario.js';
import { dieAgainAndAgain } from './die-again-and-again.js';

export const deathAfterRead: Scenario = {
  number: 3,
  name: 'death-after-read',
  promise: 'death after the read, before the decode: another takes over; no dead letters',
  run: (stage) => dieAgainAndAgain(stage, 'batch.read'),
};
