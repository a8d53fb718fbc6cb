import 'reflect-metadata';
import { createInterface } from 'node:readline';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { asSystem, createDataSource } from '#libs/database';
import { createLogger, loadConfig, NestLogger, systemClock } from '#libs/runtime';
import { entities } from './database/entities.js';
import { migrations } from './database/migrations/index.js';
import { RebuildModelsService } from './rebuild/rebuild-models.service.js';
import { RebuildModule } from './rebuild/rebuild.module.js';
import { partsOf } from './rebuild/telling.js';
import { ReportingModule } from './reporting.module.js';

/** The owners of what reporting shows, in the order in which they must be heard. */
const TELLERS = ['gateway', 'catalog', 'ingest'];

@Module({})
class RebuildApplication {}

/**
 * A process of its own, started by `patchwatch rebuild reporting`: the tellers' lines on standard input, what became of them by messages to the
 * starter. `--dry-run` changes nothing; `--on-the-way` says that facts were waiting in queues when it began.
 */
async function main(): Promise<void> {
  const config = loadConfig('reporting');
  const logger = createLogger('reporting', { level: 'warn' });
  const dataSource = createDataSource({
    url: config.databaseUrl,
    schema: 'reporting',
    entities,
    migrations,
    applicationName: 'patchwatch-reporting-rebuild',
    poolSize: 2,
    // A module that every site runs takes its time.
    statementTimeoutMs: 0,
  });
  await dataSource.initialize();
  try {
    const app = await NestFactory.createApplicationContext(
      {
        module: RebuildApplication,
        imports: [ReportingModule.with({ config, dataSource, clock: systemClock }), RebuildModule],
      },
      { logger: new NestLogger(logger), abortOnError: false },
    );
    try {
      const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });
      const report = await app.get(RebuildModelsService).rebuild(partsOf(lines, TELLERS), {
        dryRun: process.argv.includes('--dry-run'),
        onTheWay: process.argv.includes('--on-the-way'),
        onProgress: (rebuilt) => process.send?.({ rebuilt }),
      });
      await new Promise<void>((resolve) => (process.send ? process.send({ report }, () => resolve()) : resolve()));
    } finally {
      await app.close();
    }
  } finally {
    await dataSource.destroy();
  }
}

try {
  await asSystem(main);
} catch (error) {
  createLogger('reporting').error({ err: error }, 'the read models could not be rebuilt');
  process.exitCode = 1;
} finally {
  // Nothing of it may keep the process alive: neither what is still told nor the link to the starter.
  process.stdin.destroy();
  if (process.connected) process.disconnect();
}
