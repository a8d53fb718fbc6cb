import 'reflect-metadata';
import { asSystem, createDataSource } from '#libs/database';
import { loadSecret } from '#libs/runtime';
import { AuditSealRepository } from './audit/audit-seal.repository.js';
import { sealingKeyOfLog } from './audit/seal-chain.js';
import { VerifyAuditLog } from './audit/verify-audit-log.service.js';

// A process of its own, started by `patchwatch audit verify`: what it found as one line of JSON.
const [position, seal] = (process.argv[2] ?? '').split(':');
const noted = position === undefined || seal === undefined ? undefined : { position: Number(position), seal };
const dataSource = await createDataSource({
  url: process.env['PATCHWATCH_GATEWAY_DATABASE_URL'] || process.env['PATCHWATCH_DATABASE_URL'] || '',
  schema: 'gateway',
  entities: [],
  migrations: [],
  applicationName: 'patchwatch-verify-audit',
  poolSize: 1,
  // The log of years is read whole.
  statementTimeoutMs: 0,
}).initialize();
try {
  const verify = new VerifyAuditLog(
    new AuditSealRepository(),
    sealingKeyOfLog(loadSecret('PATCHWATCH_PEPPER', 'pepper')),
  );
  console.log(JSON.stringify(await asSystem(() => verify.verify(dataSource.manager, noted))));
} finally {
  await dataSource.destroy();
}
