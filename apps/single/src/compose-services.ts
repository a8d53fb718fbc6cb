import { boundedReadiness, joinReadiness } from '#libs/runtime';
import type { RunningService, ServiceConfig } from '#libs/runtime';

/** How long one service may take to say whether it is ready, in milliseconds. */
const READY_TIMEOUT_MS = 2_500;

export type ServiceStart = readonly [name: string, start: (config: ServiceConfig) => Promise<RunningService>];

/**
 * Starts the services one after another and makes one of them: ready when all are, stopped in the opposite order.
 * When one cannot start, those already started are stopped again.
 * @throws what the failing start threw
 */
export async function composeServices(
  starts: readonly ServiceStart[],
  configFor: (service: string) => ServiceConfig,
): Promise<RunningService> {
  const running: RunningService[] = [];
  const stop = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const service of running.splice(0).reverse()) {
      // One that does not stop must not keep the others from it.
      await service.stop().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw new AggregateError(failures, 'not every service stopped in order');
  };
  try {
    for (const [name, start] of starts) running.push(await start(configFor(name)));
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
  return {
    name: 'single',
    stop,
    ready: async () => {
      const answers = running.map(
        async (service) => [service.name, await boundedReadiness(() => service.ready(), READY_TIMEOUT_MS)] as const,
      );
      return joinReadiness(Object.fromEntries(await Promise.all(answers)));
    },
  };
}
