import 'reflect-metadata';
import { runTeller } from '#libs/outbox';
import { CatalogFactsRepository } from './retelling/catalog-facts.repository.js';
import { TellCatalogService } from './retelling/tell-catalog.service.js';

// A process of its own, started by `patchwatch rebuild`: the catalog's facts as lines of events.
await runTeller('catalog', [], (page) => new TellCatalogService(new CatalogFactsRepository()).tell(page));
