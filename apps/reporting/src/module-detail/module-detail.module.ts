import { Module } from '@nestjs/common';
import { ModuleDetailController } from './module-detail.controller.js';
import { ModuleDetailRepository } from './module-detail.repository.js';
import { ReadModuleService } from './read-module.service.js';

@Module({ controllers: [ModuleDetailController], providers: [ModuleDetailRepository, ReadModuleService] })
export class ModuleDetailModule {}
