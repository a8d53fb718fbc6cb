import { describe, expect, it } from '@jest/globals';
import type { Readiness, RunningService, ServiceConfig } from '#libs/runtime';
import { composeServices } from './compose-services.js';

const configFor = (service: string): ServiceConfig => ({ service }) as ServiceConfig;

/** Services that note what happens to them; `breaks` says which one fails to start or to stop. */
function services(journal: string[], breaks: { start?: string; stop?: string; notReady?: string } = {}) {
  return ['ingest', 'gateway'].map(
    (name) =>
      [
        name,
        (config: ServiceConfig): Promise<RunningService> => {
          if (breaks.start === name) return Promise.reject(new Error(`${name} has no database`));
          journal.push(`start ${config.service}`);
          const answer: Readiness = {
            ok: breaks.notReady !== name,
            checks: { redis: { ok: breaks.notReady !== name } },
          };
          return Promise.resolve({
            name,
            ready: () => Promise.resolve(answer),
            stop: () => {
              journal.push(`stop ${name}`);
              return breaks.stop === name ? Promise.reject(new Error(`${name} hangs`)) : Promise.resolve();
            },
          });
        },
      ] as const,
  );
}

describe('composeServices', () => {
  it('gives each service its own settings and stops them in the opposite order', async () => {
    const journal: string[] = [];
    const all = await composeServices(services(journal), configFor);
    await all.stop();
    expect(journal).toEqual(['start ingest', 'start gateway', 'stop gateway', 'stop ingest']);
  });

  it('is ready when every service is, and says which check of which service is not', async () => {
    const ready = await composeServices(services([]), configFor);
    await expect(ready.ready()).resolves.toMatchObject({ ok: true });
    const halfReady = await composeServices(services([], { notReady: 'gateway' }), configFor);
    await expect(halfReady.ready()).resolves.toEqual({
      ok: false,
      checks: { 'ingest.redis': { ok: true }, 'gateway.redis': { ok: false } },
    });
  });

  it('stops what has started when a later one cannot start', async () => {
    const journal: string[] = [];
    await expect(composeServices(services(journal, { start: 'gateway' }), configFor)).rejects.toThrow(
      'gateway has no database',
    );
    expect(journal).toEqual(['start ingest', 'stop ingest']);
  });

  it('stops the others when one does not stop, and tells', async () => {
    const journal: string[] = [];
    const all = await composeServices(services(journal, { stop: 'gateway' }), configFor);
    await expect(all.stop()).rejects.toThrow('not every service stopped in order');
    expect(journal.slice(-2)).toEqual(['stop gateway', 'stop ingest']);
  });
});
