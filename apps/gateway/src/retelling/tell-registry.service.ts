import type { ReadPage, ToldFact } from '#libs/outbox';
import { organizationFact } from '../identity/identity-events.js';
import { siteFact } from '../site/site-events.js';
import type { RegistryRepository } from './registry.repository.js';

const SITES = 500;

/** Tells organizations and sites anew, by the events that told them first. */
export class TellRegistryService {
  constructor(private readonly registry: RegistryRepository) {}

  async *tell(page: ReadPage): AsyncGenerator<ToldFact> {
    const organizations = await page((tx) => this.registry.organizations(tx));
    for (const organization of organizations) {
      const { event, body } = organizationFact(organization);
      yield { event, body };
    }
    const uuids = new Map(organizations.map(({ id, uuid }) => [id, uuid]));
    for (let last = 0; ;) {
      const sites = await page((tx) => this.registry.sites(tx, last, SITES));
      for (const site of sites) {
        const organizationUuid = uuids.get(site.organizationId);
        // Of an organization that was made while this was told: its own events tell of both.
        if (organizationUuid === undefined) continue;
        const { event, body } = siteFact(site, organizationUuid, '');
        yield { event, body };
      }
      if (sites.length < SITES) return;
      last = sites.at(-1)!.id;
    }
  }
}
