import { Module } from '@nestjs/common';
import { ModuleHistoryRepository } from './module-history.repository.js';
import { ModuleHistoryService } from './module-history.service.js';

@Module({ providers: [ModuleHistoryRepository, ModuleHistoryService], exports: [ModuleHistoryService] })
export class ModuleHistoryModule {}
