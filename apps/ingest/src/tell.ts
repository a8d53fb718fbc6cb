import 'reflect-metadata';
import { runTeller } from '#libs/outbox';
import { entities } from './database/entities.js';
import { HistoryRepository } from './retelling/history.repository.js';
import { TellHistoryService } from './retelling/tell-history.service.js';

// A process of its own, started by `patchwatch rebuild`: ingest's history as lines of events.
await runTeller('ingest', entities, (page) => new TellHistoryService(new HistoryRepository()).tell(page));
