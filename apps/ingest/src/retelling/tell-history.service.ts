import { inventoryChanged, sitesHeard } from '#libs/contracts';
import type { ReadPage, ToldFact } from '#libs/outbox';
import type { HistoryRepository } from './history.repository.js';
import { retoldInventories } from './retold-inventories.js';

/** Histories in memory at once. */
const SITES = 20;

/**
 * Tells every site's history anew, by the events that told it first: site by site, its inventories in order, then that it was heard from. Pushes
 * that are applied meanwhile are told by their own events.
 */
export class TellHistoryService {
  constructor(private readonly history: HistoryRepository) {}

  async *tell(page: ReadPage): AsyncGenerator<ToldFact> {
    for (let last = 0; ;) {
      const sites = await page((tx) => this.history.page(tx, last, SITES));
      for (const { changes, modules, ...site } of sites) {
        const bodies = retoldInventories(changes, modules);
        for (const [index, body] of bodies.entries())
          yield { event: inventoryChanged, body, reconstructed: changes[index]!.reconstructed };
        const { siteId, organizationId, receivedAt, observedAt, complete } = site;
        const heard = {
          site_id: siteId,
          organization_id: organizationId,
          heard_at: new Date(receivedAt).toISOString(),
          observed_at: new Date(observedAt).toISOString(),
          complete: complete ?? changes.at(-1)?.complete ?? false,
        };
        yield { event: sitesHeard, body: { sites: [heard] } };
        last = siteId;
      }
      if (sites.length < SITES) return;
    }
  }
}
