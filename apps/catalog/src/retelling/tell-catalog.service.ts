import { advisoryChanged, moduleReleasesChanged } from '#libs/contracts';
import type { ReadPage, ToldFact } from '#libs/outbox';
import type { CatalogFactsRepository } from './catalog-facts.repository.js';

/** A release history may weigh a megabyte. */
const MODULES = 20;
const ADVISORIES = 500;

/** Tells advisories and release histories anew, by the events that told them first. */
export class TellCatalogService {
  constructor(private readonly facts: CatalogFactsRepository) {}

  /** Advisories first: a history that follows is judged with all of them known. */
  async *tell(page: ReadPage): AsyncGenerator<ToldFact> {
    for (let last = ''; ;) {
      const advisories = await page((tx) => this.facts.advisories(tx, last, ADVISORIES));
      for (const body of advisories) yield { event: advisoryChanged, body };
      if (advisories.length < ADVISORIES) break;
      last = advisories.at(-1)!.advisory;
    }
    for (let last = ''; ;) {
      const modules = await page((tx) => this.facts.modules(tx, last, MODULES));
      for (const body of modules) yield { event: moduleReleasesChanged, body };
      if (modules.length < MODULES) break;
      last = modules.at(-1)!.module;
    }
  }
}
