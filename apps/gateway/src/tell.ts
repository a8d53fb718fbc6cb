import 'reflect-metadata';
import { runTeller } from '#libs/outbox';
import { entities } from './database/entities.js';
import { RegistryRepository } from './retelling/registry.repository.js';
import { TellRegistryService } from './retelling/tell-registry.service.js';

// A process of its own, started by `patchwatch rebuild`: the registry as lines of events.
await runTeller('gateway', entities, (page) => new TellRegistryService(new RegistryRepository()).tell(page));
