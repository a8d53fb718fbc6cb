import { AdmissionClosedError, DoubtfulPublishError } from './failures.js';
import { isLinkError } from './redis-connection.js';

/**
 * What an error of XADD means for whoever publishes: Redis has kept nothing and says so (memory, disk, too few replicas), or nobody can know.
 */
export function publishFailure(error: unknown, queue: string): Error {
  if (error instanceof DoubtfulPublishError || error instanceof AdmissionClosedError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (/^(OOM|MISCONF|NOREPLICAS)/.test(message)) {
    return new AdmissionClosedError(
      'hard',
      5 + Math.floor(Math.random() * 10),
      `Redis keeps nothing for ${queue}: ${message}`,
    );
  }
  const sent = isLinkError(error) ? 'The link to Redis broke' : 'Redis refused';
  return new DoubtfulPublishError(`${sent} while ${queue} was published to: ${message}`, { cause: error });
}
