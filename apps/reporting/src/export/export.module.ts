import { Module } from '@nestjs/common';
import { ExportDataController } from './export-data.controller.js';

@Module({ controllers: [ExportDataController] })
export class ExportModule {}
