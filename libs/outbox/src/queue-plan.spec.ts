import { describe, expect, it } from '@jest/globals';
import {
  eventsOn,
  inventoryChanged,
  QUEUES,
  SERVICES,
  siteChanged,
  sitesHeard,
  type EventDefinition,
} from '#libs/contracts';
import { HandlerWiringError, planQueues, type FoundHandler } from './queue-plan.js';

const handlerOf = (name: string, queue: FoundHandler['queue'], ...events: EventDefinition[]): FoundHandler => ({
  name,
  queue,
  handler: { handles: events.map(({ type, version }) => ({ type, version })), handle: async () => undefined },
});
const problemsOf = (service: string, ...found: FoundHandler[]): readonly string[] => {
  try {
    planQueues(service, found);
    return [];
  } catch (error) {
    if (error instanceof HandlerWiringError) return error.problems;
    throw error;
  }
};

describe(planQueues.name, () => {
  const catalogue = handlerOf('All', QUEUES.reportingCatalog, ...eventsOn(QUEUES.reportingCatalog));
  const identity = handlerOf('Identity', QUEUES.reportingIdentity, ...eventsOn(QUEUES.reportingIdentity));
  const erasures = handlerOf('Erasures', QUEUES.gatewayErasures, ...eventsOn(QUEUES.gatewayErasures));

  it('accepts a queue whose events are shared out among several handlers', () => {
    const plans = planQueues('reporting', [
      catalogue,
      identity,
      handlerOf('Changed', QUEUES.reportingInventory, inventoryChanged),
      handlerOf('Heard', QUEUES.reportingInventory, sitesHeard),
    ]);
    expect(plans.map(({ queue, handlers }) => [queue.name, handlers.length])).toEqual([
      ['reporting.inventory', 2],
      ['reporting.catalog', 1],
      ['reporting.identity', 1],
    ]);
  });

  it('names the decorator, the queue and the type to add for every event that nobody handles', () => {
    const problems = problemsOf(
      'reporting',
      catalogue,
      identity,
      handlerOf('Changed', QUEUES.reportingInventory, inventoryChanged),
    );
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(
      /ingest\.sites-heard@1 on reporting\.inventory .*@QueueHandler\(QUEUES\.reportingInventory\).*type: 'ingest\.sites-heard', version: 1/,
    );
  });

  it('refuses a second handler, naming both', () => {
    const twice = ['Changed', 'Again'].map((name) =>
      handlerOf(name, QUEUES.reportingInventory, inventoryChanged, sitesHeard),
    );
    expect(problemsOf('reporting', catalogue, identity, ...twice)).toEqual([
      expect.stringContaining('ingest.inventory-changed@1 on reporting.inventory has 2 handlers, Changed and Again'),
      expect.stringContaining('ingest.sites-heard@1 on reporting.inventory has 2 handlers'),
    ]);
  });

  it('refuses a handler on another service’s queue, and one for what its queue never carries', () => {
    expect(problemsOf('gateway', erasures, identity)).toEqual([expect.stringContaining('belongs to reporting')]);
    const lost = handlerOf('Lost', QUEUES.catalogModules, ...eventsOn(QUEUES.catalogModules), siteChanged);
    expect(problemsOf('catalog', lost)).toEqual([
      expect.stringContaining('Lost handles gateway.site-changed@1, which the catalogue does not put on'),
    ]);
  });

  it('knows the contract of each event on the queue and of no other, with where its facts are', () => {
    const [pushes] = planQueues('ingest', [
      handlerOf('Push', QUEUES.ingestPushes, ...eventsOn(QUEUES.ingestPushes)),
      handlerOf('Site', QUEUES.ingestSites, ...eventsOn(QUEUES.ingestSites)),
    ]);
    expect(pushes!.schemaFor('gateway.site-changed', 1)).toBeUndefined();
    expect(pushes!.schemaFor('gateway.push-received', 2)).toBeUndefined();
    const contract = pushes!.schemaFor('gateway.push-received', 1)!;
    expect(contract.source).toBe('meta');
    expect(contract.check({})).toContain('push_id');
  });

  it('finds no event in the catalogue that travels on a queue without a subscriber', () => {
    for (const queue of Object.values(QUEUES)) {
      expect(SERVICES).toContain(queue.subscriber);
      expect(eventsOn(queue)).not.toHaveLength(0);
    }
  });
});
