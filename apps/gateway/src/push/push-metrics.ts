import { counter, histogram } from '#libs/runtime';
import type { Registry } from '#libs/runtime';
import type { ProblemCode } from '../http/problem-codes.js';

/** What the push route did: cheap enough to be told at every push. */
export interface PushMetrics {
  /** @param milliseconds from the whole body to the answer; @param bytes as it arrived */
  accepted(milliseconds: number, bytes: number): void;
  refused(code: ProblemCode): void;
}

export function pushMetrics(registry: Registry): PushMetrics {
  const seconds = histogram(registry, {
    name: 'patchwatch_push_accept_seconds',
    help: 'From the whole body of a push to its 202.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  });
  const accepted = counter(registry, {
    name: 'patchwatch_push_accepted_total',
    help: 'Pushes answered with 202: each is settled, dead, or still in the queue.',
  });
  const bytes = counter(registry, {
    name: 'patchwatch_push_accepted_bytes_total',
    help: 'Bodies of accepted pushes, as they arrived.',
  });
  const refused = counter(registry, {
    name: 'patchwatch_push_refused_total',
    help: 'Refused pushes by problem code.',
    labelNames: ['code'],
  });
  return {
    accepted: (milliseconds, size) => {
      seconds.observe(milliseconds / 1000);
      accepted.inc();
      bytes.inc(size);
    },
    refused: (code) => refused.inc({ code }),
  };
}
