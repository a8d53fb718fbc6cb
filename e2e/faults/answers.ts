import type { Stage } from './stage.js';

/** Whoever pushed was told that it is kept or to come again, or (a heartbeat) to send all; nothing else. @param also further statuses that may be */
export function checkAnswers(stage: Stage, ...also: number[]): void {
  const may = ['202', ...also.map((status) => `${status} `), '503 ', '409 inventory_hash_unknown'];
  const others = [...stage.client.answers.keys()].filter((name) => !may.some((begin) => name.startsWith(begin)));
  stage.check(`only ${[202, ...also].join(', ')} and 503`, others.length === 0, others);
}
