import { Controller, type Type } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { exportData, type ErasingService, type ExportInput, type ExportOutput } from '#libs/contracts';
import { asSystem } from '#libs/database';
import { RpcMethod } from '#libs/streams';
import { exportRows, type ExportOptions } from './export-rows.js';

/** The part of `service` in an export, to be listed among its controllers; its RPC server answers `exportData[service]`. */
export function exportsData(service: ErasingService, options: ExportOptions = {}): Type<unknown> {
  @Controller()
  class ExportDataController {
    constructor(private readonly dataSource: DataSource) {}

    @RpcMethod(exportData[service])
    rows(input: ExportInput): Promise<ExportOutput> {
      const read = (): Promise<ExportOutput> => exportRows(this.dataSource.manager, input, options);
      // What is of a person is of no tenant alone: the gateway has made sure that it is she who asks.
      return input.person === null ? read() : asSystem(read);
    }
  }
  return ExportDataController;
}
